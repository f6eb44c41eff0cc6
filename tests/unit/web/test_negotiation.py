import pytest

from explorer.web.negotiation import HTML, JSON, best_type

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"


@pytest.mark.parametrize(
    ("accept", "chosen"),
    [
        (None, JSON),
        ("", JSON),
        ("*/*", JSON),
        (BROWSER, HTML),
        ("application/json", JSON),
        ("application/json, text/html", JSON),
        ("application/json;q=0.5, text/html", HTML),
        ("text/*", HTML),
        ("text/html;q=0, */*", JSON),
        ("TEXT/HTML; Q=1", HTML),
        ("text/html;q=nan, application/json;q=0.1", JSON),
        ("text/html;q=x, application/json;q=0.1", JSON),
        ("image/png", None),
        ("application/json;q=0", None),
        (",;,/,*", JSON),
    ],
)
def test_accept_chooses(accept: str | None, chosen: str | None) -> None:
    assert best_type(accept, (JSON, HTML)) == chosen
