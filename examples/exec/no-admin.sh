#!/bin/sh
# For `--plugin exec=./no-admin.sh`: requests for /admin are not copied. Every line begins with {"id":NUMBER,
while IFS= read -r line; do
  id=${line#'{"id":'}
  id=${id%%,*}
  case $line in
    *'"target":"/admin'*) printf '{"id":%s,"drop":"admin"}\n' "$id" ;;
    *) printf '{"id":%s}\n' "$id" ;;
  esac
done
