"""A client for the suite's client scenarios: an agent whose app file names the suite's server calls a tool of it.

    OUTLAST_BIN=… run-client.py URL        the scenario is in MCP_CONFORMANCE_SCENARIO"""
import json, os, shutil, subprocess, sys, tempfile

CALLS = {"tools_call": ("add_numbers", {"a": 5, "b": 3}), "sse-retry": ("test_reconnection", {})}
place = tempfile.mkdtemp(prefix="outlast-mcp-client-")
app = os.path.join(place, "app.yaml")
with open(app, "w") as f:
    json.dump({"app": {"app_id": "c", "name": "C"}, "agents": [{"id": "main", "brain": {"provider": "demo", "model": "fast"}}],
               "tools": {"modules": {"mcp": {"config": {"servers": {"suite": {"url": sys.argv[-1]}}}}}}}, f)
tool, arguments = CALLS.get(os.environ.get("MCP_CONFORMANCE_SCENARIO", ""), ("none", {}))
environment = {**os.environ, "OUTLAST_HOME": os.path.join(place, "home"), "HOME": place}
done = subprocess.run([os.environ["OUTLAST_BIN"], "run", app, f"call mcp_suite__{tool} {json.dumps(arguments)}\nsay done", "--verbose"], env=environment, cwd=place,
                      stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
print(done.stdout, done.stderr)
shutil.rmtree(place, ignore_errors=True)
sys.exit(done.returncode)
