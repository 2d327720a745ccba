# A process without a parent has none: there is no process 0.
fork pid=20 ppid=0
fork pid=30 ppid=30
---
1 fork 20/20
  born 1 20/20
2 fork 30/30
  born 2 30/30
1 20/20 fork parent 0 (0/0) process 1 start 1000 comm ? tasks 1
2 30/30 fork parent 0 (30/30) process 2 start 2000 comm ? tasks 1
