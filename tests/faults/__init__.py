"""FAULTS.md, 1 to 21: real processes, real signals, a Redis of each test's own.

| #      | where                                                                                                    |
|--------|----------------------------------------------------------------------------------------------------------|
| 1 - 5  | test_at_the_click                                                                                        |
| 6, 7   | test_workers_die                                                                                         |
| 8      | runs.test_worker (a child killed in the middle), test_workers_die (children killed at random, slow)      |
| 9      | runs.test_worker (a record that kills its child), test_workers_die (that kills the whole worker, slow)   |
| 10     | test_chaos (slow)                                                                                        |
| 11, 13 | test_redis_fails                                                                                         |
| 12     | test_redis_fails (slow)                                                                                  |
| 14     | test_database_fails (slow): locked on SQLite, stopped and started on PostgreSQL                          |
| 15     | results.test_backend (a late STARTED)                                                                    |
| 16     | test_workers_die                                                                                         |
| 17     | test_workers_die, in the middle of a long record (slow); runs.test_worker (a worker that stops)          |
| 18     | test_workers_die                                                                                         |
| 19     | test_at_the_click                                                                                        |
| 20     | test_odd_records; runs.test_single (the same ids without a worker)                                       |
| 21     | test_a_million (slow)                                                                                    |

All of it at once, in an order that a seed decides, with clocks that are wrong: test_storm (slow).
Any order of claim, write, loss, retry, cancel, edit and sweep: runs.test_life_of_an_item.
"""
