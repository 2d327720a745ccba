# /proc tells a start to 10 ms: up to 20 ms apart it is the same life, further another with its number.
start arg0=1
snapshot pid=20 ppid=1 arg0=100000000 at=500000000 read=a:/bin/a ids=0
snapshot pid=30 ppid=1 arg0=100000000 at=500000001 read=b:/bin/b ids=0
snapshot_end arg0=2
fork pid=20 ppid=10 at=115000000
fork pid=30 ppid=10 at=125000000
fork pid=40 ppid=10 at=600000000
fork pid=50 ppid=10 at=600000000
rescan at=700000000
snapshot pid=40 ppid=10 arg0=585000000 at=700000001 read=a:/bin/a ids=0
snapshot pid=50 ppid=10 arg0=575000000 at=700000002 read=b:/bin/b ids=0
---
1 start 0/0
2 snapshot 20/20
  born 2 20/20
  named 2 a by snapshot at 500000000
3 snapshot 30/30
  born 3 30/30
  named 3 b by snapshot at 500000001
4 snapshot_end 0/0
5 fork 20/20
  born -10 10/10
  born 5 20/20
  named 5 a by snapshot at 500000000
  merged 2 into 5
6 fork 30/30
  ended 3 by reused at 125000000
  process ended 3 at 125000000
  born 6 30/30
7 fork 40/40
  born 7 40/40
8 fork 50/50
  born 8 50/50
9 rescan 0/0
10 snapshot 40/40
  named 7 a by snapshot at 700000001
11 snapshot 50/50
  ended 8 by reused at 700000002
  process ended 8 at 700000002
  born 11 50/50
  named 11 b by snapshot at 700000002
-10 10/10 unseen parent 0 (0/0) process -10 start 0 comm ? tasks 1
3 30/30 snapshot parent 0 (1/1) process 3 start 100000000 comm b (born ?) image 3 of 3 cred 3 uid 0/0 gid 0/0 reused 125000000 code 0x0 process end 125000000 (exit due)
5 20/20 fork parent -10 (10/10) process 5 start 115000000 comm a (born ?) image 2 of 5 cred 2 uid 0/0 gid 0/0 tasks 1
6 30/30 fork parent -10 (10/10) process 6 start 125000000 comm ? tasks 1
7 40/40 fork parent -10 (10/10) process 7 start 600000000 comm a (born ?) image 10 of 7 cred 10 uid 0/0 gid 0/0 tasks 1
8 50/50 fork parent -10 (10/10) process 8 start 600000000 comm ? reused 700000002 code 0x0 process end 700000002 (exit due)
11 50/50 snapshot parent 0 (10/10) process 11 start 575000000 comm b (born ?) image 11 of 11 cred 11 uid 0/0 gid 0/0 tasks 1
