"""Soon."""
import typer
app = typer.Typer()
def models() -> None:
    """Soon."""
def families() -> None:
    """Soon."""
