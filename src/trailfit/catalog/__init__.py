"""What AWS publishes, as tables with a `source` column; no logic; one writer (`refresh`)."""


def version() -> str:
    """Name the catalogue: the version of its data, as the lake's rollup records it."""
    from trailfit.catalog.actions import version as of_actions

    return of_actions()
