"""The bundled protocols: what stays fixed in a study."""

from ganbench.api import hookimpl


@hookimpl
def ganbench_protocols() -> dict[str, str]:
    return {
        "quick": "ganbench_plugins.protocols.quick:Quick",
    }
