"""What stands at the head of a content file."""

from __future__ import annotations

from datetime import date

from pydantic import Field, field_validator

from generator.spec import Options


class FrontMatter(Options):
    """What stands between the two `---` lines of a content file."""

    title: str
    date: str = Field("", description="ISO 8601, such as 2017-05-01; a file in pages/ has none")
    description: str = ""
    authors: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    draft: bool = False
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

    @field_validator("date", "updated", mode="before")
    @classmethod
    def _iso(cls, value: object) -> object:
        return date.fromisoformat(str(value)).isoformat() if value else ""
