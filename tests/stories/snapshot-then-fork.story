# Rule 7: born while the snapshot was read: its FORK stands behind the snapshot, and they are one life.
snapshot pid=10 ppid=1 arg0=6 read=sh:/bin/sh ids=0
snapshot pid=20 ppid=10 arg0=100000 at=90000000 read=true:/bin/true ids=0
snapshot pid=20 tid=21 ppid=10 arg0=100000 at=90000001 read=true:
snapshot_end arg0=3
fork pid=20 ppid=10 at=110000
fork pid=20 tid=21 ppid=10 at=120000
exit pid=20 tid=21 arg0=0 arg1=4294967295 at=91000000
exit pid=20 ppid=10 arg0=0 arg1=17 at=91000001
---
1 snapshot 10/10
  born 1 10/10
  named 1 sh by snapshot at 1000
2 snapshot 20/20
  born 2 20/20
  named 2 true by snapshot at 90000000
3 snapshot 20/21
  born 3 20/21
  named 3 true by snapshot at 90000001
4 snapshot_end 0/0
5 fork 20/20
  born 5 20/20
  named 5 true by snapshot at 90000000
  merged 2 into 5
6 fork 20/21
  born 6 20/21
  merged 3 into 6
7 exit 20/21
  ended 6 by exit at 91000000
8 exit 20/20
  ended 5 by exit at 91000001
  process ended 5 at 91000001
1 10/10 snapshot parent 0 (1/1) process 1 start 6 comm sh (born ?) image 1 of 1 cred 1 uid 0/0 gid 0/0 tasks 1
5 20/20 fork parent 1 (10/10) process 5 start 110000 comm true (born sh) image 2 of 5 cred 2 uid 0/0 gid 0/0 exit 91000001 code 0x0 process end 91000001
6 20/21 fork parent 1 (10/10) process 5 start 120000 comm true image 2 of 5 cred 2 uid 0/0 gid 0/0 exit 91000000 code 0x0
