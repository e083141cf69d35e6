"""Soon."""
import typer
app = typer.Typer()
def reproduce() -> None:
    """Soon."""
