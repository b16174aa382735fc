"""A process that writes to a table whose order is a sequence, as a log must not.

`python -m tests.faults.unprotected_writer URL ROWS SEED`
"""

from __future__ import annotations

import random
import sys
import time

import psycopg

TABLE = "CREATE TABLE unprotected (position bigserial PRIMARY KEY, writer text, number int)"
RIGHTS = "GRANT ALL ON unprotected, unprotected_position_seq TO PUBLIC"


def main() -> None:
    url, rows, writer = sys.argv[1:]
    chance = random.Random(writer)
    with psycopg.connect(url) as connection:
        for number in range(int(rows)):
            connection.execute(
                "INSERT INTO unprotected (writer, number) VALUES (%s, %s)", (writer, number)
            )
            if chance.random() < 0.02:
                time.sleep(0.02)  # some transactions have more to do
            connection.commit()


if __name__ == "__main__":
    main()
