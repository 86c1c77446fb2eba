"""The worker: a process outside the web server that does a case's jobs and keeps models warm."""
