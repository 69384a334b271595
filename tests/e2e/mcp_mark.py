"""The smallest MCP server: one tool, `mark`, that makes a file. Over standard input and output."""
import json, sys

for line in sys.stdin:
    message = json.loads(line)
    if "id" not in message:
        continue
    result = {}
    if message["method"] == "initialize":
        result = {"protocolVersion": "2025-11-25", "capabilities": {"tools": {}}, "serverInfo": {"name": "mark", "version": "1"}}
    elif message["method"] == "tools/list":
        result = {"tools": [{"name": "mark", "inputSchema": {"type": "object", "properties": {"file": {"type": "string"}}}}]}
    elif message["method"] == "tools/call":
        open(message["params"]["arguments"]["file"], "w").close()
        result = {"content": [{"type": "text", "text": "made"}]}
    print(json.dumps({"jsonrpc": "2.0", "id": message["id"], "result": result}), flush=True)
