"""Does a DAG file compile, and make no other DAG than the one it is to make?

For python3 -I -c, with the file's path, its name for people, and the dag_id, or "" where that is not asked.
The file is read and never run.  What is wrong with it is told on standard output: status 3, it does not
compile; 2, it makes another DAG.  Any other is a fault of Python's, whose own is 1.  A dag_id that is computed is not
looked at: what is meant to be found is a slip, as a file that was copied from another project.
"""

import ast
import sys


def pairs(target, value):
    """Which name node gets which node; parts of a value that is no tuple, or around a star, are not known."""
    if isinstance(target, ast.Name):
        yield target, value
    elif isinstance(target, (ast.Tuple, ast.List)) and isinstance(value, (ast.Tuple, ast.List)):
        if not any(isinstance(part, ast.Starred) for part in target.elts + value.elts):
            for part in zip(target.elts, value.elts):
                yield from pairs(*part)


class Names:
    """What the names of a file are bound to, anywhere in it."""

    def __init__(self, tree):
        self.imported, self.values, known = {}, {}, {}
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom):
                self.imported.update((alias.asname or alias.name, alias.name) for alias in node.names)
            elif isinstance(node, (ast.Assign, ast.AnnAssign, getattr(ast, "NamedExpr", ast.Assign))):
                for target in getattr(node, "targets", None) or [node.target]:
                    known.update(pairs(target, node.value))
        for node in ast.walk(tree):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                self.values.setdefault(node.id, []).append(known.get(node))
            elif isinstance(node, ast.arg):
                self.values.setdefault(node.arg, []).append(None)
            elif isinstance(node, ast.alias):
                self.values.setdefault(node.asname or node.name, []).append(None)
            else:
                # def, class, except, match; what else has a name is no name's value.
                for bound in (getattr(node, "name", None), getattr(node, "rest", None)):
                    if isinstance(bound, str):
                        self.values.setdefault(bound, []).append(None)

    def called(self, node):
        """The name of what is called, before it was imported under another."""
        node = node.func if isinstance(node, ast.Call) else node
        name = getattr(node, "id", "")
        return node.attr if isinstance(node, ast.Attribute) else self.imported.get(name, name)

    def texts(self, node):
        """All that the node may be; None: that is not known."""
        nodes = self.values.get(node.id) if isinstance(node, ast.Name) else [node]
        return [n.value if isinstance(n, ast.Constant) else None for n in nodes or [None]]


def given(call):
    return [k.value for k in call.keywords if k.arg == "dag_id"] + call.args[:1]


def dags(tree):
    """Each DAG that is made, and what its dag_id may be."""
    names = Names(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and names.called(node) in ("DAG", "dag") and given(node):
            yield node, names.texts(given(node)[0])
        for mark in getattr(node, "decorator_list", []):
            if names.called(mark) == "dag" and not (isinstance(mark, ast.Call) and given(mark)):
                yield node, [node.name]


def main(path, name, wanted):
    try:
        with open(path, "rb") as file:
            text = file.read()
        compile(text, name, "exec", dont_inherit=True)
        for node, ids in dags(ast.parse(text)) if wanted else ():
            if None not in ids and wanted not in ids:
                print(f"line {node.lineno} makes the DAG {ids[0]!r}, not {wanted!r}")
                return 2
    except (SyntaxError, ValueError, RecursionError, MemoryError) as fault:
        print(fault or type(fault).__name__)
        return 3
    return 0


sys.exit(main(*sys.argv[1:]))
