import pytest
from hypothesis import given
from hypothesis import strategies as st

from ganbench.errors import BadInput
from ganbench.specs import Spec, parse_entries, parse_one, spec_text

names = st.from_regex(r"[^,+:=\"\s]+", fullmatch=True)
specs = st.builds(
    lambda name, fields: Spec(name, tuple(fields.items())),
    names,
    st.dictionaries(names, st.text(), max_size=3),
)


def spec(name: str, **fields: str) -> Spec:
    return Spec(name, tuple(fields.items()))


@pytest.mark.parametrize(
    ("text", "entries"),
    [
        ("minimax", [(spec("minimax"),)]),
        ("minimax,nonsat", [(spec("minimax"),), (spec("nonsat"),)]),
        ("a:x=1+b,c", [(spec("a", x="1"), spec("b")), (spec("c"),)]),
        ("a+b:y=2+c:z=-1e-3", [(spec("a"), spec("b", y="2"), spec("c", z="-1e-3"))]),
        ("a:y=1:x=2", [(Spec("a", (("y", "1"), ("x", "2"))),)]),
        ('images:path="/data/a,b":size=64', [(spec("images", path="/data/a,b", size="64"),)]),
        ('a:x="say ""hi"""+b', [(spec("a", x='say "hi"'), spec("b"))]),
        ('a:x="""",b', [(spec("a", x='"'),), (spec("b"),)]),
        ('a:x="1+1:2"', [(spec("a", x="1+1:2"),)]),
        ("a:x=", [(spec("a", x=""),)]),
        ('a:x=""', [(spec("a", x=""),)]),
        ("a:x=b=c", [(spec("a", x="b=c"),)]),
        ("a:path=/data/été", [(spec("a", path="/data/été"),)]),
    ],
)
def test_the_grammar(text, entries):
    assert parse_entries(text) == entries


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "it is empty"),
        ("a,", "a name is missing at ''"),
        (",a", "a name is missing at ',a'"),
        ("a++b", "a name is missing at '+b'"),
        ("a, b", "a name is missing at ' b'"),
        ("=1", "a name is missing at '=1'"),
        ("a b", "' b' after 'a' is not understood"),
        ("a:x", "':x' after 'a' is not understood"),
        ("a=1", "'=1' after 'a' is not understood"),
        ("a:=1", "':=1' after 'a' is not understood"),
        ('a:x="b"c', "'c' after 'a:x=b' is not understood"),
        ('a:x="b', "'\"b' after 'a:x=\"\"' is not understood"),
        ("a:x=1:x=2", "field 'x' of 'a' is given twice"),
    ],
)
def test_what_is_no_spec_is_refused_with_the_place(text, why):
    with pytest.raises(BadInput) as refused:
        parse_entries(text)
    first, *rest = str(refused.value).splitlines()
    assert first == f"can't read '{text}': {why}."
    assert "as in minimax,nonsat+gp:weight=10" in "\n".join(rest)


@pytest.mark.parametrize("text", ["a,b", "a+b", "a:x=1,a:x=2"])
def test_one_means_one(text):
    with pytest.raises(BadInput, match="one name was expected here"):
        parse_one(text)


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("1.5", "a:x=1.5"),
        ("", 'a:x=""'),
        ("a b", 'a:x="a b"'),
        ("a,b", 'a:x="a,b"'),
        ("a+b", 'a:x="a+b"'),
        ("C:\\data", 'a:x="C:\\data"'),
        ('"', 'a:x=""""'),
        ("a=b", "a:x=a=b"),
    ],
)
def test_quotes_stand_where_they_are_needed_and_nowhere_else(value, written):
    assert spec_text("a", {"x": value}) == str(spec("a", x=value)) == written


@given(specs)
def test_a_spec_survives_being_written(spec):
    assert parse_one(str(spec)) == spec


@given(st.lists(st.lists(specs, min_size=1, max_size=3).map(tuple), min_size=1, max_size=3))
def test_entries_survive_being_written(entries):
    assert parse_entries(",".join("+".join(map(str, entry)) for entry in entries)) == entries


@given(st.text(alphabet='ab:=,+" \n'))
def test_any_text_is_read_or_refused(text):
    try:
        entries = parse_entries(text)
    except BadInput:
        return
    written = ",".join("+".join(map(str, entry)) for entry in entries)
    assert parse_entries(written) == entries
