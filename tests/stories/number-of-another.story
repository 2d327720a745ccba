# A number that is known as another process's thread, whose end was lost: it says nothing of that process.
fork pid=10 tid=21 ppid=1
fork pid=10 tid=22 ppid=1
fork pid=10 tid=23 ppid=1
fork pid=10 tid=24 ppid=1
fork pid=10 tid=25 ppid=1
comm pid=10 tid=25 comm=thread
comm pid=21 comm=other
exit pid=22 ppid=1 arg0=0 arg1=17
fork pid=30 ppid=23
fork pid=30 tid=31 ppid=24
fork pid=40 ppid=30 ptid=25
---
1 fork 10/21
  born -2 10/10
  born 1 10/21
2 fork 10/22
  born 2 10/22
3 fork 10/23
  born 3 10/23
4 fork 10/24
  born 4 10/24
5 fork 10/25
  born 5 10/25
6 comm 10/25
  named 5 thread by comm at 6000
7 comm 21/21
  born -14 21/21
  named -14 other by comm at 7000
8 exit 22/22
  born -16 22/22
  ended -16 by exit at 8000
  process ended -16 at 8000
9 fork 30/30
  born -18 23/23
  born 9 30/30
10 fork 30/31
  born 10 30/31
11 fork 40/40
  born 11 40/40
-18 23/23 unseen parent 0 (0/0) process -18 start 0 comm ? tasks 1
-16 22/22 unseen parent 0 (0/0) process -16 start 0 comm ? exit 8000 code 0x0 process end 8000
-14 21/21 unseen parent 0 (0/0) process -14 start 0 comm other (born ?) tasks 1
-2 10/10 unseen parent 0 (1/1) process -2 start 0 comm ? tasks 6
1 10/21 fork parent 0 (1/1) process -2 start 1000 comm ?
2 10/22 fork parent 0 (1/1) process -2 start 2000 comm ?
3 10/23 fork parent 0 (1/1) process -2 start 3000 comm ?
4 10/24 fork parent 0 (1/1) process -2 start 4000 comm ?
5 10/25 fork parent 0 (1/1) process -2 start 5000 comm thread (born ?)
9 30/30 fork parent -18 (23/23) process 9 start 9000 comm ? tasks 2
10 30/31 fork parent 0 (24/24) process 9 start 10000 comm ?
11 40/40 fork parent 9 (30/25) process 11 start 11000 comm ? tasks 1
