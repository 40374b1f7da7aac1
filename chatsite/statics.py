"""Static files under names that tell what is in them, also where one of our scripts imports another."""

from whitenoise.storage import CompressedManifestStaticFilesStorage


class Statics(CompressedManifestStaticFilesStorage):  # type: ignore[misc]
    """WhiteNoise's. Django's own rewriting of imports takes words in comments of other people's scripts for some."""

    patterns = (
        *CompressedManifestStaticFilesStorage.patterns,
        (
            "js/*.js",
            (
                (
                    r"""(?P<matched>import(?P<import> \{[^}]*\}) from "(?P<url>\./[^"]+)";)""",
                    """import%(import)s from "%(url)s";""",
                ),
            ),
        ),
    )
