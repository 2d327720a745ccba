# Who was known without a birth is who the snapshot finds; but a thread of another process is not, whenever it was born.
start arg0=1
comm pid=20 comm=known at=50000000000
fork pid=10 tid=21 ppid=1 at=50000000001
rescan at=60000000000
snapshot pid=20 ppid=1 arg0=30000000000 read=known:/bin/known at=60000000001
snapshot pid=21 ppid=1 arg0=50000000001 read=other:/bin/other at=60000000002
snapshot_end arg0=2 at=60000000003
---
1 start 0/0
2 comm 20/20
  born -4 20/20
  named -4 known by comm at 50000000000
3 fork 10/21
  born -6 10/10
  born 3 10/21
4 rescan 0/0
5 snapshot 20/20
6 snapshot 21/21
  ended 3 by reused at 60000000002
  born 6 21/21
  named 6 other by snapshot at 60000000002
7 snapshot_end 0/0
  ended -6 by absent at 60000000000
  process ended -6 at 60000000000
-6 10/10 unseen parent 0 (1/1) process -6 start 0 comm ? absent 60000000000 code 0x0 process end 60000000000 (exit due)
-4 20/20 unseen parent 0 (1/1) process -4 start 30000000000 comm known (born ?) image 5 of -4 tasks 1
3 10/21 fork parent 0 (1/1) process -6 start 50000000001 comm ? reused 60000000002 code 0x0 (exit due)
6 21/21 snapshot parent 0 (1/1) process 6 start 50000000001 comm other (born ?) image 6 of 6 tasks 1
