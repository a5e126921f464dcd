SELECT format('%s|%-5L|%2$*1$s', 5, 'a''b'), json_value('{"a": [1, {"b c": null}]}', 'lax $.a[1]["b c"]'), json_query('[[1]]', '$[0]');
