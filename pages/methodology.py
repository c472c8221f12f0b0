"""Methodology and data: how it works, what the words mean, every column, how it scored, how to get at it, whose it is."""

from __future__ import annotations

from urllib.parse import urlsplit

import streamlit as st

from f1core.doc_tables import DocTable, doc_tables
from pages.shell.choices import choose
from pages.shell.dictionary import definitions, dictionary
from pages.shell.footer import UNOFFICIAL
from pages.shell.frame import App, page
from pages.shell.method_words import (
    EMBEDS,
    HOW,
    LICENCES,
    LIMITS,
    curl_examples,
    embed_snippet,
    python_example,
)
from pages.shell.tables import ROW_HEIGHT
from pages.shell.text import plain

SECTIONS = {
    "how": "How it works",
    "words": "Definitions",
    "data": "Data dictionary",
    "scores": "Scores",
    "api": "API & embedding",
    "licences": "Licences",
}


def how() -> None:
    """The way from facts to a scored forecast."""
    for title, words in HOW:
        st.markdown(f"**{title}.** {words}")
    st.subheader("What it cannot do", anchor=False)
    st.markdown("\n".join(f"- {words}" for words in LIMITS))
    st.caption(
        "More: docs/models.md, docs/ledger.md, docs/time.md and docs/decisions in the program's folder."
    )


def scores() -> None:
    """The tables that the benchmarks wrote, as they wrote them."""
    parts = {
        "accuracy.md": (
            "Forecasts against what was asked of them",
            ("Against the figures",),
            "python benchmarks/accuracy.py --write",
        ),
        "strategy.md": ("Strategy simulator on past races", (), "python benchmarks/strategy.py --write"),
        "championship.md": ("Title odds", ("Backtest",), "python benchmarks/championship.py"),
    }
    for name, (title, under, command) in parts.items():
        st.subheader(title, anchor=False)
        found = [one for one in doc_tables(name) if not under or one.heading.startswith(under)]
        if not found:
            st.info(
                f"`docs/{name}` of this version has no table of results yet; `{command}` measures them.",
                icon=":material/hourglass_empty:",
            )
        for number, one in enumerate(found):
            score_part(one, is_open=number == 0)
        if found:
            st.caption(f"From `docs/{name}`, written by `{command}`; nothing here is typed by hand.")


def score_part(one: DocTable, *, is_open: bool) -> None:
    """One table of the documentation."""
    with st.expander(one.heading or "Table", expanded=is_open):
        st.dataframe(
            one.rows,
            hide_index=True,
            height="content" if one.rows.height <= 30 else 520,
            row_height=ROW_HEIGHT,
            alt=f"Table: {one.heading}",
        )


def api(app: App) -> None:
    """How programs and other pages get at it."""
    parts = urlsplit(st.context.url or "")
    host = f"{parts.scheme}://{parts.netloc}" if parts.netloc else "http://localhost:8501"
    st.markdown(
        "Everything is read only, in JSON, without a login; every address is described at `/api/docs`."
    )
    st.code(curl_examples(host), language="bash")
    st.markdown("**Read a sealed forecast and check its seal**")
    st.code(python_example(host), language="python")
    st.subheader("Embed a view", anchor=False)
    path = choose("View", list(EMBEDS), "view", default=next(iter(EMBEDS)), words=lambda one: EMBEDS[one][0])
    st.code(embed_snippet(host, path), language="html")
    st.caption(
        f"Filters of a page's address work in the embedded view too. The same as JSON: `{host}{EMBEDS[path][1]}`"
    )


with page("Methodology") as app:
    st.title("Methodology & data", anchor=False)
    section = choose(
        "Section", list(SECTIONS), "section", default="how", words=SECTIONS.__getitem__, resets=("q",)
    )
    {"how": how, "words": definitions, "data": dictionary, "scores": scores, "api": lambda: api(app)}.get(
        section, lambda: st.markdown(f"{LICENCES}\n\n{UNOFFICIAL}")
    )()
    snapshot = app.reader.snapshot
    st.caption(
        f"Facts: {plain(str(snapshot.notes.get('source_name', 'unknown source')))} · published "
        f"{snapshot.published_at[:16].replace('T', ' ')} UTC · snapshot `{snapshot.id}`"
    )
