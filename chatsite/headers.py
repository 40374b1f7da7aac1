"""What every answer tells the browser of itself, whoever made it: a view, a refusal, a static file or a probe."""

from __future__ import annotations

from django.http.response import HttpResponseBase

_ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": ", ".join(
        f"{feature}=()"
        for feature in (
            *("accelerometer", "autoplay", "browsing-topics", "camera", "display-capture", "encrypted-media"),
            *(
                "fullscreen",
                "geolocation",
                "gyroscope",
                "hid",
                "idle-detection",
                "magnetometer",
                "microphone",
            ),
            *("midi", "payment", "picture-in-picture", "serial", "usb", "xr-spatial-tracking"),
        )
    ),
    # Of what is no page of ours, and so has no policy of its own.
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
}
# Whatever does not say how long it may be kept is somebody's.
_KEPT = "Cache-Control"


def complete(response: HttpResponseBase) -> None:
    """Add what `response` does not say already."""
    for name, value in _ALWAYS.items():
        response.headers.setdefault(name, value)
    response.headers.setdefault(_KEPT, "no-store, private")
