#!/usr/bin/env python3
"""Computes every answer of the reasoning datasets anew and compares it with the one in the file.

usage: scripts/check_answers.py [DATASETS_DIR]

Each check counts, searches or simulates what the prompt tells, rather than repeating the shortcut that a solver would take. Exit code
0 when all answers agree and every prompt has its check, 1 otherwise. Python's standard library only.
"""

import datetime
import itertools
import json
import math
import pathlib
import sys
from fractions import Fraction

ZH_DAYS = "一二三四五六日"
EN_DAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
CHECKS = {}


def check(prompt_id):
    """Registers the check of one prompt."""

    def take(function):
        assert prompt_id not in CHECKS, prompt_id
        CHECKS[prompt_id] = function
        return function

    return take


def only(values):
    """The one value that a search found. None or several would be a fault of the puzzle."""
    found = set(values)
    assert len(found) == 1, f"not exactly one solution: {sorted(map(str, found))}"
    return found.pop()


# ---- what several prompts need


def digit_written(digit, last):
    return sum(str(n).count(str(digit)) for n in range(1, last + 1))


def coin_ways(total, coins):
    if not coins:
        return int(total == 0)
    return sum(coin_ways(total - n * coins[0], coins[1:]) for n in range(total // coins[0] + 1))


def stair_ways(stairs, steps, forbidden=()):
    ways = [1] + [0] * stairs
    for n in range(1, stairs + 1):
        ways[n] = 0 if n in forbidden else sum(ways[n - s] for s in steps if s <= n)
    return ways[stairs]


def divisors(n):
    return [d for d in range(1, n + 1) if n % d == 0]


def fewest_steps(start, moves, reached):
    """Breadth-first search."""
    seen, edge, steps = {start}, [start], 0
    while edge:
        if any(reached(state) for state in edge):
            return steps
        edge = [new for new in {m for state in edge for m in moves(state)} if new not in seen]
        seen.update(edge)
        steps += 1
    raise AssertionError("never reached")


def pourings(sizes):
    """All states after pouring one vessel into another."""

    def moves(state):
        for a, b in itertools.permutations(range(len(sizes)), 2):
            amount = min(state[a], sizes[b] - state[b])
            if amount:
                new = list(state)
                new[a], new[b] = new[a] - amount, new[b] + amount
                yield tuple(new)

    return moves


def tilings(rows, columns, pieces):
    """Coverings of a grid by pieces (height, width), by always filling the first free cell."""

    def fill(free):
        if not free:
            return 1
        r, c = min(free)
        places = ({(r + i, c + j) for i in range(h) for j in range(w)} for h, w in pieces)
        return sum(fill(free - cells) for cells in places if cells <= free)

    return fill(frozenset(itertools.product(range(rows), range(columns))))


# ---- reasoning-zh


@check("reasoning-zh-01")
def _():
    left_at_noon = 18 * 24 - 297
    return left_at_noon + 5 * 24 - 36


@check("reasoning-zh-02")
def _():
    return Fraction(12, 4 - 1) * (19 - 4)


@check("reasoning-zh-03")
def _():
    return next(score for score in range(101) if Fraction(4 * 86 + score, 5) >= 88)


@check("reasoning-zh-04")
def _():
    return only(years for years in range(100) if 41 + years == 3 * (9 + years))


@check("reasoning-zh-05")
def _():
    # Places along the rope that lie under the scissors: fold positions 0..8 three times and look where the middle lands.
    cuts = 0
    for point in range(1, 16 * 8, 2):  # sixteenths of a layer, off the folds
        place = Fraction(point, 16 * 8)
        for _fold in range(3):
            place = min(place, 1 - place) * 2
        before = Fraction(point - 2, 16 * 8)
        for _fold in range(3):
            before = min(before, 1 - before) * 2
        cuts += point > 1 and (before - Fraction(1, 2)) * (place - Fraction(1, 2)) < 0
    return cuts + 1


@check("reasoning-zh-06")
def _():
    return sum(1 for x in range(-2, 32) for y in range(-2, 20) if not (0 <= x < 30 and 0 <= y < 18))


@check("reasoning-zh-07")
def _():
    people = list(range(1, 14 + 22))
    assert people.index(14) == 13 and people[::-1].index(14) == 21
    return len(people) - 1 + 3


@check("reasoning-zh-08")
def _():
    assert datetime.date(2026, 3, 1).weekday() == 6
    return ZH_DAYS[datetime.date(2026, 10, 1).weekday()]


@check("reasoning-zh-09")
def _():
    return only(n for n in range(10, 100) if n // 10 + n % 10 == 11 and n % 10 * 10 + n // 10 == n + 27)


@check("reasoning-zh-10")
def _():
    # The fast train's head starts at 0, the slow one's tail too; done when the fast tail passes the slow head.
    return next(t for t in range(1000) if 30 * t - 220 >= 20 * t + 180)


@check("reasoning-zh-11")
def _():
    return digit_written(7, 200)


@check("reasoning-zh-12")
def _():
    return only(true for true in range(1000) if Fraction(60 - 4, 60) * true == 5 * 60 + 36)


@check("reasoning-zh-13")
def _():
    bag = {"red": 4, "white": 5, "black": 6}
    draws = itertools.product(*(range(n + 1) for n in bag.values()))
    return max(sum(draw) for draw in draws if 0 in draw) + 1


@check("reasoning-zh-14")
def _():
    return 60 / (Fraction(1, 6) + Fraction(1, 9) - Fraction(1, 18))


@check("reasoning-zh-15")
def _():
    return only(n for n in range(101, 200) if (n % 3, n % 5, n % 7) == (2, 3, 2))


@check("reasoning-zh-16")
def _():
    all3 = 4
    two = (9 - all3) + (7 - all3) + (8 - all3)
    one = (28 - 9 - 8 + all3) + (22 - 9 - 7 + all3) + (17 - 7 - 8 + all3)
    return 50 - all3 - two - one


@check("reasoning-zh-17")
def _():
    def said(who):
        b = who == "丁"
        return [who == "乙", b, who != "丙", not b]

    return only(who for who in "甲乙丙丁" if sum(said(who)) == 1)


@check("reasoning-zh-18")
def _():
    return sum(d % 2 == 0 and d % 3 != 0 for d in divisors(360))


@check("reasoning-zh-19")
def _():
    return coin_ways(20, (1, 2, 5))


@check("reasoning-zh-20")
def _():
    return int(str(7**2026)[-2:])


@check("reasoning-zh-21")
def _():
    found = []
    orders = lambda names: itertools.permutations(names)
    for age, home, work in itertools.product(orders(range(3)), orders(("成都", "西安", "杭州")), orders(("医生", "教师", "木匠"))):
        of_home, of_work = dict(zip(home, age)), dict(zip(work, age))
        older = [(age[1], of_work["木匠"]), (age[2], of_work["医生"]), (age[2], of_home["成都"]), (of_home["成都"], of_home["杭州"])]
        if all(a > b for a, b in older) and work[0] != "医生":
            found.append(home[work.index("教师")])
    return only(found)


@check("reasoning-zh-22")
def _():
    return stair_ways(12, (1, 3))


@check("reasoning-zh-23")
def _():
    def sundays(year):
        first = datetime.date(year, 1, 1)
        return sum((first + datetime.timedelta(d)).weekday() == 6 for d in range(365))

    common = (y for y in range(1900, 2100) if (y % 4 or y % 100 == 0) and y % 400)
    return only(ZH_DAYS[datetime.date(y, 3, 15).weekday()] for y in common if sundays(y) == 53)


@check("reasoning-zh-24")
def _():
    paths = itertools.combinations(range(9), 5)  # the steps that go right
    at_centre = lambda rights: sum(step < 4 for step in rights) == 2
    return sum(not at_centre(rights) for rights in paths)


@check("reasoning-zh-25")
def _():
    lamps = [False] * 61
    for k in range(1, 11):
        for lamp in range(k, 61, k):
            lamps[lamp] = not lamps[lamp]
    return sum(lamps)


@check("reasoning-zh-26")
def _():
    # 甲 is 0 and keeps the first chair, which takes the rotations out.
    rows = ((0, *rest) for rest in itertools.permutations(range(1, 6)))
    return sum(row[1] != 1 and row[5] != 1 for row in rows)


@check("reasoning-zh-27")
def _():
    return sum(n % 2 != 0 and n % 3 != 0 and n % 5 != 0 for n in range(1, 501))


@check("reasoning-zh-28")
def _():
    return fewest_steps((8, 0, 0), pourings((8, 5, 3)), lambda state: 4 in state)


@check("reasoning-zh-29")
def _():
    return tilings(3, 8, ((1, 2), (2, 1)))


@check("reasoning-zh-30")
def _():
    def fits(n):
        a, b, c, d = map(int, str(n))
        return len({a, b, c, d}) == 4 and n % 9 == 0 and a + d == b + c

    return sum(fits(n) for n in range(1000, 10000))


# ---- reasoning-en


@check("reasoning-en-01")
def _():
    return 14 * 36 - 318 - 45


@check("reasoning-en-02")
def _():
    return len(range(15, 240, 15))


@check("reasoning-en-03")
def _():
    leaves, arrives = datetime.datetime(2026, 1, 1, 21, 47), datetime.datetime(2026, 1, 2, 6, 12)
    return (arrives - leaves) // datetime.timedelta(minutes=1)


@check("reasoning-en-04")
def _():
    return 160 * Fraction(75, 100) * Fraction(90, 100) - 8


@check("reasoning-en-05")
def _():
    edge = lambda x, y: x in (0, 84) or y in (0, 60)
    return sum(edge(x, y) for x in range(0, 85, 6) for y in range(0, 61, 6))


@check("reasoning-en-06")
def _():
    return only(3 * brother for brother in range(1, 100) if 3 * brother + 8 == 2 * (brother + 8))


@check("reasoning-en-07")
def _():
    return sum(not (3 <= x < 43 and 3 <= y < 28) for x in range(46) for y in range(31))


@check("reasoning-en-08")
def _():
    assert datetime.date(2026, 2, 14).weekday() == 5
    return EN_DAYS[datetime.date(2026, 11, 5).weekday()]


@check("reasoning-en-09")
def _():
    return 2 / (Fraction(1, 12) + Fraction(1, 20))


@check("reasoning-en-10")
def _():
    done = 5 * (Fraction(1, 12) + Fraction(1, 20))
    return 5 + (1 - done) * 12


@check("reasoning-en-11")
def _():
    return digit_written(3, 300)


@check("reasoning-en-12")
def _():
    return only(true for true in range(1000) if Fraction(65, 60) * true == (15 - 8) * 60 + 35)


@check("reasoning-en-13")
def _():
    draws = itertools.product(range(9), range(7), range(5))
    return max(sum(draw) for draw in draws if min(draw) < 2) + 1


@check("reasoning-en-14")
def _():
    return only(n for n in range(201, 300) if (n % 4, n % 5, n % 7) == (1, 2, 3))


@check("reasoning-en-15")
def _():
    two = (12 - 3) + (7 - 3) + (6 - 3)
    one = (31 - 12 - 7 + 3) + (25 - 12 - 6 + 3) + (18 - 7 - 6 + 3)
    return 60 - 3 - two - one


@check("reasoning-en-16")
def _():
    kinds = ("apples", "pears", "mixed")  # also the labels, in this order
    worlds = (w for w in itertools.permutations(kinds) if all(label != held for label, held in zip(kinds, w)))
    return only(w[0] for w in worlds if w[2] != "apples")


@check("reasoning-en-17")
def _():
    return sum(math.isqrt(d) ** 2 == d for d in divisors(720))


@check("reasoning-en-18")
def _():
    return coin_ways(50, (5, 10, 20))


@check("reasoning-en-19")
def _():
    return int(str(3**2027)[-2:])


@check("reasoning-en-20")
def _():
    games = len(list(itertools.combinations(range(8), 2)))
    return only(draws for draws in range(games + 1) if 2 * draws + 3 * (games - draws) == 74)


@check("reasoning-en-21")
def _():
    def said(who):
        bill = who == "Cora"
        return [who == "Bill", bill, not bill, who != "Dan"]

    return only(who for who in ("Ada", "Bill", "Cora", "Dan") if sum(said(who)) == 3)


@check("reasoning-en-22")
def _():
    return next(n for n in itertools.count(1) if len(divisors(n)) == 12)


@check("reasoning-en-23")
def _():
    return stair_ways(10, (1, 2), forbidden=(5,))


@check("reasoning-en-24")
def _():
    return sum("11" not in f"{n:010b}" for n in range(1024))


@check("reasoning-en-25")
def _():
    assert datetime.date(2026, 1, 1).weekday() == 3
    return sum(datetime.date(2026, month, 13).weekday() == 4 for month in range(1, 13))


@check("reasoning-en-26")
def _():
    rows = itertools.permutations(("Kim", "Lee", "Max", "x", "y"))
    return sum(row.index("Kim") in (0, 4) and abs(row.index("Lee") - row.index("Max")) > 1 for row in rows)


@check("reasoning-en-27")
def _():
    return sum((n % 6 == 0) != (n % 8 == 0) for n in range(1, 1001))


@check("reasoning-en-28")
def _():
    pour = pourings((7, 4))

    def moves(state):
        yield from ((7, state[1]), (state[0], 4), (0, state[1]), (state[0], 0))
        yield from pour(state)

    return fewest_steps((0, 0), moves, lambda state: 5 in state)


@check("reasoning-en-29")
def _():
    term = 1
    for position in range(1, 10):
        term = 2 * term + position
    return term


@check("reasoning-en-30")
def _():
    return tilings(2, 9, ((1, 2), (2, 1), (2, 2)))


def main():
    folder = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).resolve().parent.parent / "datasets")
    unchecked, wrong = set(CHECKS), 0
    for name in ("reasoning-zh", "reasoning-en"):
        for line in (folder / f"{name}.jsonl").read_text(encoding="utf-8").splitlines():
            prompt = json.loads(line)
            computed = CHECKS.get(prompt["id"], lambda: None)()
            unchecked.discard(prompt["id"])
            if str(computed) != prompt["answer"]:
                wrong += 1
                print(f"{prompt['id']}: the file says {prompt['answer']}, computed {computed}")
    if unchecked:
        print("checks without a prompt:", ", ".join(sorted(unchecked)))
    print(f"{len(CHECKS)} answers computed, {wrong} disagree")
    return 1 if wrong or unchecked else 0


if __name__ == "__main__":
    sys.exit(main())
