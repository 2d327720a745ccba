# A fork by a thread names it: the child has the thread's name.
fork pid=20 ppid=10
fork pid=20 tid=21 ppid=10
comm pid=20 tid=21 comm=worker
fork pid=30 ppid=20 ptid=21
---
1 fork 20/20
  born -2 10/10
  born 1 20/20
2 fork 20/21
  born 2 20/21
3 comm 20/21
  named 2 worker by comm at 3000
4 fork 30/30
  born 4 30/30
-2 10/10 unseen parent 0 (0/0) process -2 start 0 comm ? tasks 1
1 20/20 fork parent -2 (10/10) process 1 start 1000 comm ? tasks 2
2 20/21 fork parent -2 (10/10) process 1 start 2000 comm worker (born ?)
4 30/30 fork parent 1 (20/21) process 4 start 4000 comm worker tasks 1
