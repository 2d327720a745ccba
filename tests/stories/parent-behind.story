# A snapshot goes by number, so that a parent may stand behind its child; who names itself, or a number that is a thread's, has none.
start arg0=1
snapshot pid=20 ppid=30 arg0=9 read=child:/bin/child
snapshot pid=30 ppid=1 arg0=8 read=parent:/bin/parent
snapshot pid=30 tid=31 ppid=1 arg0=8 read=parent:
snapshot pid=40 ppid=40 arg0=9
snapshot pid=50 ppid=31 arg0=9
snapshot_end arg0=5
---
1 start 0/0
2 snapshot 20/20
  born 2 20/20
  named 2 child by snapshot at 2000
3 snapshot 30/30
  born 3 30/30
  named 3 parent by snapshot at 3000
4 snapshot 30/31
  born 4 30/31
  named 4 parent by snapshot at 4000
5 snapshot 40/40
  born 5 40/40
6 snapshot 50/50
  born 6 50/50
7 snapshot_end 0/0
2 20/20 snapshot parent 3 (30/30) process 2 start 9 comm child (born ?) image 2 of 2 tasks 1
3 30/30 snapshot parent 0 (1/1) process 3 start 8 comm parent (born ?) image 3 of 3 tasks 2
4 30/31 snapshot parent 0 (1/1) process 3 start 8 comm parent (born ?) image 3 of 3
5 40/40 snapshot parent 0 (40/40) process 5 start 9 comm ? tasks 1
6 50/50 snapshot parent 0 (31/31) process 6 start 9 comm ? tasks 1
