# Rule 7: who was the snapshot's child is the FORK's; a name that the snapshot could not read is that of the FORK; and names that differ stay so.
snapshot pid=10 ppid=1 arg0=6 read=sh:/bin/sh ids=0
snapshot pid=20 ppid=10 arg0=100000 at=90000000
snapshot pid=30 ppid=20 arg0=110000 at=90000001 read=cat:/bin/cat ids=0
snapshot pid=40 ppid=10 arg0=100000 at=90000002 read=leader:/bin/leader ids=0
snapshot pid=40 tid=41 ppid=10 arg0=100000 at=90000003 read=worker:
snapshot_end arg0=5
fork pid=20 ppid=10 at=110000
fork pid=40 ppid=10 at=110000
fork pid=40 tid=42 ppid=10 at=95000000
---
1 snapshot 10/10
  born 1 10/10
  named 1 sh by snapshot at 1000
2 snapshot 20/20
  born 2 20/20
3 snapshot 30/30
  born 3 30/30
  named 3 cat by snapshot at 90000001
4 snapshot 40/40
  born 4 40/40
  named 4 leader by snapshot at 90000002
5 snapshot 40/41
  born 5 40/41
  named 5 worker by snapshot at 90000003
6 snapshot_end 0/0
7 fork 20/20
  born 7 20/20
  merged 2 into 7
8 fork 40/40
  born 8 40/40
  named 8 leader by snapshot at 90000002
  merged 4 into 8
9 fork 40/42
  born 9 40/42
1 10/10 snapshot parent 0 (1/1) process 1 start 6 comm sh (born ?) image 1 of 1 cred 1 uid 0/0 gid 0/0 tasks 1
3 30/30 snapshot parent 7 (20/20) process 3 start 110000 comm cat (born ?) image 3 of 3 cred 3 uid 0/0 gid 0/0 tasks 1
5 40/41 snapshot parent 1 (10/10) process 8 start 100000 comm worker (born ?) image 4 of 8 cred 4 uid 0/0 gid 0/0
7 20/20 fork parent 1 (10/10) process 7 start 110000 comm sh image 1 of 1 cred 1 uid 0/0 gid 0/0 tasks 1
8 40/40 fork parent 1 (10/10) process 8 start 110000 comm leader (born sh) image 4 of 8 cred 4 uid 0/0 gid 0/0 tasks 3
9 40/42 fork parent 1 (10/10) process 8 start 95000000 comm ? image 4 of 8 cred 4 uid 0/0 gid 0/0
