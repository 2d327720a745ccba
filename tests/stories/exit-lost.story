# Rule 4: something was lost, so the older life's EXIT may never come: its end is inferred, the next EXIT is the newer one's.
fork pid=20 ppid=10
lost cpu=0 arg0=3
fork pid=20 ppid=10
exit pid=20 ppid=10 arg0=0x200 arg1=17
---
1 fork 20/20
  born -2 10/10
  born 1 20/20
2 lost 0/0
3 fork 20/20
  ended 1 by reused at 3000
  process ended 1 at 3000
  born 3 20/20
4 exit 20/20
  ended 3 by exit at 4000
  process ended 3 at 4000
-2 10/10 unseen parent 0 (0/0) process -2 start 0 comm ? tasks 1
1 20/20 fork parent -2 (10/10) process 1 start 1000 comm ? reused 3000 code 0x0 process end 3000
3 20/20 fork parent -2 (10/10) process 3 start 3000 comm ? exit 4000 code 0x200 process end 4000
