"""Places as URLs say them: what is taken, what is refused, and that no refusal repeats a secret."""

from __future__ import annotations

import pytest

from defendctl.state.place import BadPlace, Place, option_problem, parse_place

PLACES = {
    "git+origin?key=checkout": ("git", "origin", "checkout"),
    "git+git@github.com:acme/repo.git?key=a/b.c": ("git", "git@github.com:acme/repo.git", "a/b.c"),
    "git+https://git.example.com/acme?key=checkout": ("git", "https://git.example.com/acme", "checkout"),
    "git+ssh://git@git.example.com:2222/acme?key=checkout": (
        "git",
        "ssh://git@git.example.com:2222/acme",
        "checkout",
    ),
    "git+/srv/state.git?key=checkout": ("git", "/srv/state.git", "checkout"),
    "postgres://deploy@db.internal:5432/defend?key=checkout": (
        "postgres",
        "postgres://deploy@db.internal:5432/defend",
        "checkout",
    ),
    "postgresql://a,b:5433/defend?sslmode=require&key=checkout": (
        "postgres",
        "postgres://a,b:5433/defend?sslmode=require",
        "checkout",
    ),
    "s3://bucket/checkout": ("s3", "bucket", "checkout"),
    "gs://bucket/a/b": ("gs", "bucket", "a/b"),
    "az://container/checkout": ("az", "container", "checkout"),
}
SECRET = "hunter2"
WITH_SECRET = (
    "postgres://deploy:hunter2@db/defend?key=a",
    "postgres://:hunter2@db/defend?key=a",
    "postgres://deploy:hunter2/@db/defend?key=a",
    "postgres://deploy:?hunter2@db/defend?key=a",
    "postgres://deploy:#hunter2@db/defend?key=a",
    "postgres://deploy:a@hunter2@db/defend?key=a",
    "postgres://db/defend?key=a&password=hunter2",
    "postgres://db/defend?PassWord=hunter2&key=a",
    "postgres://db/defend?pass%77ord=hunter2&key=a",
    "postgres://db/defend?key=a&sslpassword=hunter2",
    "git+https://hunter2@git.example.com/acme?key=a",
    "git+https://x:hunter2@git.example.com/acme?key=a",
    "git+ssh://git:hunter2@git.example.com/acme?key=a",
    "git+https://git.example.com/acme?private_token=hunter2&key=a",
    "s3://AKIA:hunter2@bucket/a",
    "s3://hunter2@bucket/a",
    "s3://bucket/a?X-Amz-Signature=hunter2",
    "az://container/a?sig=hunter2",
    "mysql://deploy:hunter2@db/defend?key=a",
    "deploy:hunter2@db",
    "hunter2",
    "s3://bucket/hunter2:x",
)
BAD = {
    "no known scheme. Did you mean s3": ("s://bucket/a", "s3:/bucket/a"),
    "no known scheme. Did you mean postgres": ("postgre://db/defend?key=a", "postgrse:x"),
    "no known scheme. Known are": ("", "https://example.com/a", "file.json", "redis://x/y"),
    "must say which state": (
        "git+origin",
        "git+origin?key=",
        "git+o?key=a&key=b",
        "s3://bucket",
        "s3://bucket/",
    ),
    "must name where": ("git+?key=a", "git+-o?key=a", "s3:///a", "postgres:///defend?key=a"),
    "is not a name": (
        "s3://b/../a",
        "s3://b/a/",
        "s3://b/.a",
        "s3://b/a..b",
        "s3://b/a.lock",
        "s3://b/" + "a" * 201,
    ),
    "control": ("s3://b/a\n", "s3://b/\x1b[31m", "git+origin?key=a b", "s3://b/a\u202eb"),
    "not a URL": ("postgres://[db/defend?key=a", "postgres://db:port/defend?key=a"),
    "fragment": ("postgres://db/defend?key=a#b",),
}


@pytest.mark.parametrize(("url", "parts"), PLACES.items())
def test_a_place_is_read_and_says_itself_again(url: str, parts: tuple[str, str, str]) -> None:
    place = parse_place(url)
    assert (place.scheme, place.target, place.key) == parts
    assert parse_place(place.url) == place


@pytest.mark.parametrize("url", WITH_SECRET)
def test_a_secret_is_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(BadPlace) as refused:
        parse_place(url)
    assert SECRET not in str(refused.value)


@pytest.mark.parametrize(("why", "urls"), BAD.items())
def test_what_names_no_place_says_why(why: str, urls: tuple[str, ...]) -> None:
    for url in urls:
        with pytest.raises(BadPlace, match=why):
            parse_place(url)


def test_two_ways_to_one_state_have_one_name() -> None:
    one = parse_place("postgres://alice@DB.internal/defend?sslmode=require&key=checkout")
    assert one.name == parse_place("postgresql://bob@db.internal/defend?key=checkout").name
    assert one.name != parse_place("postgres://db.internal/defend?key=other").name
    assert "alice" not in one.name
    near = Place("s3", "bucket", "checkout", {"endpoint": "https://minio.internal", "region": "eu-1"})
    assert near.name != parse_place("s3://bucket/checkout").name
    assert near.name == Place("s3", "bucket", "checkout", {"endpoint": "https://minio.internal"}).name


@pytest.mark.parametrize(
    ("endpoint", "why"),
    [
        ("https://minio.internal", None),
        ("http://127.0.0.1:9000", None),
        ("http://minio.internal", "must use https"),
        ("https://user@minio.internal", "must not hold a user name"),
        ("https://minio.internal:port", "is not a URL"),
        ("https://[::1", "is not a URL"),
        ("ftp://minio.internal", "must be a URL like"),
        ("minio.internal", "must be a URL like"),
    ],
)
def test_an_endpoint_is_checked_before_anybody_speaks_to_it(endpoint: str, why: str | None) -> None:
    problem = option_problem("s3", "endpoint", endpoint)
    assert (why in problem) if problem and why else problem is why
