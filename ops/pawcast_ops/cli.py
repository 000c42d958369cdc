"""The operator's command line `pawcast`: each part of the work is a group of commands from a module of its own."""

import typer

from pawcast_ops import capacity, demo, forecast, models, releases, site, stack

app = typer.Typer(
    no_args_is_help=True,
    help="Operate Pawcast: the local stack, models, releases, forecasts, capacity.",
    pretty_exceptions_show_locals=False,
)
app.add_typer(stack.app, name="stack")
app.add_typer(demo.app, name="demo")
app.add_typer(forecast.app, name="forecast")
app.add_typer(models.app, name="models")
app.add_typer(releases.release_app, name="release")
app.add_typer(capacity.app, name="capacity")
app.add_typer(site.app, name="site")

if __name__ == "__main__":
    app()
