# Rule 7: the number was used again after the snapshot: two lives.
snapshot pid=20 ppid=10 arg0=100000 at=200000 read=old:/bin/old
snapshot_end arg0=1
fork pid=20 ppid=10 at=90000000
exit pid=20 arg0=1 arg1=17
exit pid=20 arg0=2 arg1=17
---
1 snapshot 20/20
  born 1 20/20
  named 1 old by snapshot at 200000
2 snapshot_end 0/0
3 fork 20/20
  ended 1 by reused at 90000000
  process ended 1 at 90000000
  born -6 10/10
  born 3 20/20
4 exit 20/20
  ended 1 by exit at 4000
  process ended 1 at 4000
5 exit 20/20
  ended 3 by exit at 5000
  process ended 3 at 5000
-6 10/10 unseen parent 0 (0/0) process -6 start 0 comm ? tasks 1
1 20/20 snapshot parent 0 (10/10) process 1 start 100000 comm old (born ?) image 1 of 1 exit 4000 code 0x1 process end 4000
3 20/20 fork parent -6 (10/10) process 3 start 90000000 comm ? exit 5000 code 0x2 process end 5000
