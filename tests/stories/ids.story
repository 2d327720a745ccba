# Ids read from /proc are a new version where any of them differs from what is known, or was not known.
snapshot pid=10 ppid=1 arg0=6 read=sh:/bin/sh ids=7
exec pid=10 read=a:/bin/a ids=7
uid pid=10 arg0=7 arg1=8
exec pid=10 read=b:/bin/b ids=7
gid pid=10 arg0=7 arg1=8
exec pid=10 read=c:/bin/c ids=7
gid pid=10 arg0=8 arg1=7
exec pid=10 read=d:/bin/d ids=7
uid pid=10 arg0=8 arg1=7
exec pid=10 read=e:/bin/e ids=7
uid pid=20 arg0=0 arg1=0
exec pid=20 read=f:/bin/f ids=0
gid pid=30 arg0=0 arg1=0
exec pid=30 read=g:/bin/g ids=0
---
1 snapshot 10/10
  born 1 10/10
  named 1 sh by snapshot at 1000
2 exec 10/10
  named 1 a by exec at 2000
3 uid 10/10
4 exec 10/10
  named 1 b by exec at 4000
5 gid 10/10
6 exec 10/10
  named 1 c by exec at 6000
7 gid 10/10
8 exec 10/10
  named 1 d by exec at 8000
9 uid 10/10
10 exec 10/10
  named 1 e by exec at 10000
11 uid 20/20
  born -22 20/20
12 exec 20/20
  named -22 f by exec at 12000
13 gid 30/30
  born -26 30/30
14 exec 30/30
  named -26 g by exec at 14000
-26 30/30 unseen parent 0 (0/0) process -26 start 0 comm g (born ?) image 14 of -26 cred 14 uid 0/0 gid 0/0 tasks 1
-22 20/20 unseen parent 0 (0/0) process -22 start 0 comm f (born ?) image 12 of -22 cred 12 uid 0/0 gid 0/0 tasks 1
1 10/10 snapshot parent 0 (1/1) process 1 start 6 comm e (born ?) image 10 of 1 cred 10 uid 7/7 gid 7/7 tasks 1
