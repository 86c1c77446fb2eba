"""Repairs of backdoored CLIPs side by side; every cell resumes."""
