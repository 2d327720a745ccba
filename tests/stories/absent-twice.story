# Who was gone when the recorder looked again, and of whom no EXIT has come since, went then, however often it looks.
start arg0=1
snapshot pid=10 arg0=6 read=sh:/bin/sh
snapshot pid=20 ppid=10 arg0=7 read=cat:/bin/cat
snapshot_end arg0=2
rescan
snapshot pid=10 arg0=6 read=sh:/bin/sh
snapshot_end arg0=1
rescan
snapshot pid=10 arg0=6 read=sh:/bin/sh
snapshot_end arg0=1
---
1 start 0/0
2 snapshot 10/10
  born 2 10/10
  named 2 sh by snapshot at 2000
3 snapshot 20/20
  born 3 20/20
  named 3 cat by snapshot at 3000
4 snapshot_end 0/0
5 rescan 0/0
6 snapshot 10/10
7 snapshot_end 0/0
  ended 3 by absent at 5000
  process ended 3 at 5000
8 rescan 0/0
9 snapshot 10/10
10 snapshot_end 0/0
2 10/10 snapshot parent 0 (0/0) process 2 start 6 comm sh (born ?) image 2 of 2 tasks 1
3 20/20 snapshot parent 2 (10/10) process 3 start 7 comm cat (born ?) image 3 of 3 absent 5000 code 0x0 process end 5000 (exit due)
