# Rule 2: the process lives on until its last task has ended.
fork pid=20 ppid=10
fork pid=20 tid=21 ppid=10
exit pid=20 ppid=10 arg0=0 arg1=17
comm pid=20 tid=21 comm=alone
exit pid=20 tid=21 arg0=0x700 arg1=4294967295
---
1 fork 20/20
  born -2 10/10
  born 1 20/20
2 fork 20/21
  born 2 20/21
3 exit 20/20
  ended 1 by exit at 3000
4 comm 20/21
  named 2 alone by comm at 4000
5 exit 20/21
  ended 2 by exit at 5000
  process ended 1 at 5000
-2 10/10 unseen parent 0 (0/0) process -2 start 0 comm ? tasks 1
1 20/20 fork parent -2 (10/10) process 1 start 1000 comm ? exit 3000 code 0x0 process end 5000 by exit code 0x700
2 20/21 fork parent -2 (10/10) process 1 start 2000 comm alone (born ?) exit 5000 code 0x700
