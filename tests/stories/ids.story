# Ids read from /proc are a new version where any of them differs from what is known, or was not known.
snapshot pid=10 ppid=1 arg0=6 read=sh:/bin/sh ids=7
exec pid=10 read=same:/bin/same ids=7
fork pid=11 ppid=10
uid pid=11 arg0=7 arg1=8
exec pid=11 read=euid:/bin/euid ids=7
fork pid=12 ppid=10
uid pid=12 arg0=8 arg1=7
exec pid=12 read=ruid:/bin/ruid ids=7
fork pid=13 ppid=10
gid pid=13 arg0=7 arg1=8
exec pid=13 read=egid:/bin/egid ids=7
fork pid=14 ppid=10
gid pid=14 arg0=8 arg1=7
exec pid=14 read=rgid:/bin/rgid ids=7
uid pid=20 arg0=0 arg1=0
exec pid=20 read=f:/bin/f ids=0
gid pid=30 arg0=0 arg1=0
exec pid=30 read=g:/bin/g ids=0
---
1 snapshot 10/10
  born 1 10/10
  named 1 sh by snapshot at 1000
2 exec 10/10
  named 1 same by exec at 2000
3 fork 11/11
  born 3 11/11
4 uid 11/11
5 exec 11/11
  named 3 euid by exec at 5000
6 fork 12/12
  born 6 12/12
7 uid 12/12
8 exec 12/12
  named 6 ruid by exec at 8000
9 fork 13/13
  born 9 13/13
10 gid 13/13
11 exec 13/13
  named 9 egid by exec at 11000
12 fork 14/14
  born 12 14/14
13 gid 14/14
14 exec 14/14
  named 12 rgid by exec at 14000
15 uid 20/20
  born -30 20/20
16 exec 20/20
  named -30 f by exec at 16000
17 gid 30/30
  born -34 30/30
18 exec 30/30
  named -34 g by exec at 18000
-34 30/30 unseen parent 0 (0/0) process -34 start 0 comm g (born ?) image 18 of -34 cred 18 uid 0/0 gid 0/0 tasks 1
-30 20/20 unseen parent 0 (0/0) process -30 start 0 comm f (born ?) image 16 of -30 cred 16 uid 0/0 gid 0/0 tasks 1
1 10/10 snapshot parent 0 (1/1) process 1 start 6 comm same (born ?) image 2 of 1 cred 1 uid 7/7 gid 7/7 tasks 1
3 11/11 fork parent 1 (10/10) process 3 start 3000 comm euid (born same) image 5 of 3 cred 5 uid 7/7 gid 7/7 tasks 1
6 12/12 fork parent 1 (10/10) process 6 start 6000 comm ruid (born same) image 8 of 6 cred 8 uid 7/7 gid 7/7 tasks 1
9 13/13 fork parent 1 (10/10) process 9 start 9000 comm egid (born same) image 11 of 9 cred 11 uid 7/7 gid 7/7 tasks 1
12 14/14 fork parent 1 (10/10) process 12 start 12000 comm rgid (born same) image 14 of 12 cred 14 uid 7/7 gid 7/7 tasks 1
