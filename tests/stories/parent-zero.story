# Rule 5: EXIT with parent 0/0; an orphan's EXIT names who took it.
fork pid=20 ppid=10
fork pid=30 ppid=20
exit pid=20 arg0=0 arg1=17
exit pid=30 ppid=1 arg0=0 arg1=17
---
1 fork 20/20
  born -2 10/10
  born 1 20/20
2 fork 30/30
  born 2 30/30
3 exit 20/20
  ended 1 by exit at 3000
  process ended 1 at 3000
4 exit 30/30
  ended 2 by exit at 4000
  process ended 2 at 4000
-2 10/10 unseen parent 0 (0/0) process -2 start 0 comm ? tasks 1
1 20/20 fork parent -2 (10/10) process 1 start 1000 comm ? exit 3000 code 0x0 process end 3000
2 30/30 fork parent 1 (20/20) process 2 start 2000 comm ? exit 4000 code 0x0 process end 4000
