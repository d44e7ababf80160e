"""An HTML page, read strictly."""

from __future__ import annotations

from html.parser import HTMLParser

VOID = {"meta", "link", "img", "source", "br", "hr", "input", "col"}
_POINTS_ELSEWHERE = ("src", "srcset", "href", "data", "poster", "action")


class Page(HTMLParser):
    """Every tag with its attributes; open tags must be closed in order."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len({name for name, _ in attrs}) == len(attrs), f"an attribute stands twice: {attrs}"
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert "svg" in self.open or tag in VOID, f"HTML knows no <{tag}/>"
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open[-1:] != ["style"]:
            self.words.append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]

    @property
    def text(self) -> str:
        """Its words in order, a space between them."""
        return " ".join(" ".join(self.words).split())

    def stands_alone(self, data: str) -> None:
        """No script, nothing from elsewhere but data URLs; what it names by id is there, once."""
        assert not {"script", "link", "iframe", "base", "object", "form"} & {tag for tag, _ in self.tags}
        ids = [attributes["id"] for _, attributes in self.tags if "id" in attributes]
        assert len(set(ids)) == len(ids)
        for _, attributes in self.tags:
            assert not any(name.startswith("on") for name in attributes)
            for name in _POINTS_ELSEWHERE:
                value = attributes.get(name)
                assert value is None or value.startswith((data, "#")), value
                if value is not None and value.startswith("#"):
                    assert value[1:] in ids
            for name in (attributes.get("aria-labelledby") or "").split():
                assert name in ids
