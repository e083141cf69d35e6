"""Soon."""
import typer
app = typer.Typer()
def data() -> None:
    """Soon."""
