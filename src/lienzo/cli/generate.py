"""Soon."""
import typer
app = typer.Typer()
def generate() -> None:
    """Soon."""
