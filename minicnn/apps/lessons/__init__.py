"""Exercises of the course in docs/course: a function to write, and a check that explains mistakes.

`lesson` says what a lesson consists of, `catalog` lists all of them; those of one chapter are in a
module such as `chapter03`. `stub` writes the file that a student fills in. `checking` runs it in
a process of its own (`student` starts it, `child` is what runs there), compares the results with
the reference (`differences`), and says in words what is wrong: one of the lesson's own `mistakes`,
or one that is common to all (`common_mistakes`). `record` remembers which files have passed.
"""
