"""Charts: pure functions from a frame to an Altair chart, one concept per file; no Streamlit, no reading.

Rules of all of them: units on the axes; a meaning is never carried by colour alone (shape, dash, length or a label says
it too); nothing sets a text colour or a background, so that the same chart works on light and dark; a phone's 390 px are
enough. Every chart has a description that says what it shows.
"""
