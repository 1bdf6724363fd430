"""The desktop program that sorts photos: a window on `minicnn.apps.sorter`, made with Qt.

`design.ui` is the window of the paper, made for Qt Designer; `design.py` is compiled from it by
`tools/compile_window.py`. `main_window.py` brings it to life, and what goes beyond the paper is
beside it: `menus.py`, `preview.py`. Everything that reads or moves files runs in `tasks.py`.
"""
