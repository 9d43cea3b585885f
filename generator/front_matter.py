"""What stands at the head of a content file."""

from __future__ import annotations

from datetime import date

from pydantic import Field, field_validator

from generator.spec import Options


class FrontMatter(Options):
    """What stands between the two `---` lines of a content file."""

    title: str = Field(description="of the post, and in lists")
    date: str = Field("", description="ISO 8601, such as 2017-05-01; a file in pages/ has none")
    description: str = Field("", description="below the title and in lists; numbers in it may be measures")
    authors: tuple[str, ...] = Field((), description="if not the author in site.toml")
    tags: tuple[str, ...] = Field((), description="each has a page that lists its posts")
    draft: bool = Field(False, description="built only by serve, and with --drafts")
    updated: str = Field("", description="ISO 8601, the day of the last change that readers should know of")
    series: str = Field("", description="what the post is a part of; its parts are in the order of their dates")
    order: int = Field(0, description="of a page: it stands among those of its folder by this number, then by its name")
    picture: str = Field("", description="the figure whose first picture stands for the post in lists")

    @field_validator("title")
    @classmethod
    def _some(cls, value: str) -> str:
        if not value.strip():
            raise ValueError("a title has words")
        return value

    @field_validator("authors", "tags")
    @classmethod
    def _some_each(cls, values: tuple[str, ...]) -> tuple[str, ...]:
        if not all(map(str.strip, values)):
            raise ValueError("one of them is empty")
        return values

    @field_validator("date", "updated", mode="before")
    @classmethod
    def _iso(cls, value: object) -> object:
        return date.fromisoformat(str(value)).isoformat() if value else ""
