#!/bin/sh
# Generates the committed stubs of emanet/api with the floor version of the tools, so that internal
# applications are not forced to the newest runtime. Usage: protos/generate.sh PYTHON
set -eu
cd "$(dirname "$0")/.."
rm -rf emanet/api
mkdir -p emanet/api
"$1" -m grpc_tools.protoc -I protos \
  --python_out=. --grpc_python_out=. --mypy_out=quiet:. --mypy_grpc_out=quiet:. \
  $(find protos/emanet -name '*.proto' | LC_ALL=C sort)
for folder in $(find emanet/api -type d | LC_ALL=C sort); do
  printf '"""Generated from protos/; never edited."""\n' > "$folder/__init__.py"
done
