#!/usr/bin/env bash
# The units of systemd, and the examples of docs/operations/examples, run: nginx in front of a log and a witness, with TLS, a cache, ranges, gzip and limits;
# Prometheus with the alerts, and every query of the dashboard, on what both programs export; the pages in Chromium, at the width of a phone.
#
#   tests/peers/deployment.sh [DIR]     with the binaries in DIR; without it they are built
source "$(dirname "$0")/lib.sh"
source "$here/network.sh"

place=$work/deployment
examples=$root/docs/operations/examples
origin=log.example/deployment
tls=18443 echo=18082 prometheus=18090

main() {
    rm -rf "$place" && mkdir -p "$place"
    if [[ $# -gt 0 ]]; then
        stele=$1/stele stele_log=$1/stele-log stele_witness=$1/stele-witness
    else
        find_binaries
    fi
    units_of_systemd
    start_both
    nginx_in_front
    prometheus_watches
    pages_in_chromium
    finish deployment
}

# The units of both programs, where these programs are: systemd knows every line of them, and what they may do is little.
units_of_systemd() {
    installs "systemd" systemd-analyze systemd
    local dir=$place/units program unit
    mkdir -p "$dir"
    for program in log witness; do
        unit=$dir/stele-$program.service
        local binary=stele_$program
        sed "s#/usr/local/bin/stele-$program #${!binary} #" "$root"/*/systemd/"stele-$program.service" >"$unit"
        # It ends with 0 in spite of lines that it does not know, so what it says is looked at.
        accepts "systemd takes the unit of stele-$program, and has nothing to say" systemd_is_silent "$unit"
        accepts "the unit of stele-$program may do little" systemd-analyze security --offline=true --threshold=20 "$unit"
    done
    sed 's#^ProtectSystem=#ProtectSystm=#' "$unit" >"$dir/wrong.service"
    refuses "a unit with a line that systemd does not know" ProtectSystm systemd_is_silent "$dir/wrong.service"
    sed '/^Protect/d; /^Private/d; /^SystemCall/d; /^Capab/d; /^Restrict/d' "$unit" >"$dir/open.service"
    refuses "a unit that may do much" "exposure level" systemd-analyze security --offline=true --threshold=20 "$dir/open.service"
}

systemd_is_silent() {
    local said
    said=$(systemd-analyze verify "$1" 2>&1) || { printf '%s\n' "$said"; return 1; }
    [[ -z $said ]] || { printf '%s\n' "$said"; return 1; }
}

# A log whose witness is reached through nginx, so that the log's own requests go that way too.
start_both() {
    local witness_port line
    log_vkey=$("$stele_log" init "$place/log" --origin "$origin" 2>/dev/null)
    "$stele_witness" init "$place/w" --name witness.example/w >/dev/null 2>&1
    sed -i "s#^listen = .*#&\nurls = [\"https://witness.example:$tls/\"]#" "$place/w/witness.toml"
    "$stele_witness" logs add "$place/w" --vkey "$log_vkey" 2>/dev/null
    serve "$stele_witness" run "$place/w" --listen 127.0.0.1:0
    witness_url=$served
    # The witness's own line, with the address at which this machine reaches nginx.
    line=$("$stele_witness" about "$place/w" | sed -n 's/^policy: //p')
    equal "the witness's line has its address" "https://witness.example:$tls/" "${line##* }"
    start_nginx "$place/nginx-w" "http://127.0.0.1:1" "$witness_url"
    accepts "policy add-witness takes the line" "$stele_log" policy add-witness "$place/log" "${line% *} https://localhost:$tls/"
    # Without a name in the handshake it is the first server of the example, the log.
    sed -i "s#^log .*#& https://127.0.0.1:$tls/#" "$place/log/policy"
    cat >>"$place/log/log.toml" <<END
[limits]
client_address_header = "X-Forwarded-For"
END
    export SSL_CERT_FILE=$place/tls.crt
    accepts "stele-log check" "$stele_log" check "$place/log"
    serve "$stele_log" run "$place/log" --listen 127.0.0.1:0
    log_url=$served
    wait_for "the log publishes, cosigned through nginx" "$log_url/healthz"
    # Both behind one nginx from here on.
    stop_nginx "$place/nginx-w"
    start_nginx "$place/nginx" "$log_url" "$witness_url"
    for n in $(seq 8); do
        "$stele" key new "$place/k$n" >/dev/null 2>&1
        "$stele" claim "c$n.example" --key "$place/k$n" --policy "$place/log/policy" >"$place/claim.out" 2>&1 || break
    done
    equal "publishers claim names through nginx" 17 "$(curl -s "$log_url/checkpoint" | sed -n 2p)"
}

# start_nginx DIR LOG WITNESS: the example with our addresses, ports and certificate, and nothing else changed.
start_nginx() {
    local dir=$1 log=${2#http://} witness=${3#http://}
    installs "nginx" nginx nginx-light
    mkdir -p "$dir/cache"
    if [[ ! -f $place/tls.crt ]]; then
        openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -keyout "$place/tls.key" -out "$place/tls.crt" \
            -subj /CN=localhost -addext subjectAltName=DNS:localhost,DNS:log.example,DNS:witness.example,IP:127.0.0.1 \
            -addext basicConstraints=critical,CA:FALSE 2>/dev/null
    fi
    sed -E -e "s#127\.0\.0\.1:8080#$log#; s#127\.0\.0\.1:7461#$witness#; s#listen 443 ssl#listen 127.0.0.1:$tls ssl#" \
        -e "s#/etc/nginx/[a-z.]+\.(crt|key)#$place/tls.\1#; s#/var/cache/nginx/stele#$dir/cache#" \
        -e "s#server_name witness.example;#server_name witness.example localhost;#" "$examples/nginx.conf" >"$dir/stele.conf"
    cat >"$dir/nginx.conf" <<END
daemon off;
pid $dir/pid;
error_log $dir/error.log warn;
worker_processes 1;
events { worker_connections 512; }
http {
    access_log off;
    client_body_temp_path $dir/body; proxy_temp_path $dir/proxy; fastcgi_temp_path $dir/f; uwsgi_temp_path $dir/u; scgi_temp_path $dir/s;
    # Only here: whose request it is, told by the test.
    set_real_ip_from 127.0.0.1;
    real_ip_header X-Test-Peer;
    include $dir/stele.conf;
}
END
    accepts "nginx takes the example" nginx -t -c "$dir/nginx.conf"
    nginx -c "$dir/nginx.conf" >/dev/null 2>&1 &
    nginx_pid=$!
    running+=("$nginx_pid")
    for _ in $(seq 50); do
        ! curl -s --max-time 2 --cacert "$place/tls.crt" -o /dev/null "https://localhost:$tls/" || return 0
        sleep 0.1
    done
    fail "nginx does not answer"
    shown "$(cat "$dir/error.log")"
}

stop_nginx() { kill -QUIT "$nginx_pid" && wait "$nginx_pid" || true; }

# wait_for "what" URL: passed when it answers 200 within a while.
wait_for() {
    for _ in $(seq 100); do
        if [[ $(curl -s -o /dev/null -w '%{http_code}' "$2") == 200 ]]; then
            ok "$1"
            return
        fi
        sleep 0.1
    done
    fail "$1"
    shown "$(curl -s "$2")"
}

# ask NAME PATH [curl options]: through nginx, by name; the header is in $place/head, the body in $place/body.
ask() {
    local name=$1 path=$2
    shift 2
    curl -s --cacert "$place/tls.crt" --resolve "$name:$tls:127.0.0.1" -D "$place/head" -o "$place/body" "$@" "https://$name:$tls$path" || true
    tr -d '\r' <"$place/head" >"$place/head.lines"
}

status() { sed -n 's#^HTTP/[0-9.]* \([0-9]*\).*#\1#p' "$place/head.lines" | tail -1; }
header() { grep -i "^$1:" "$place/head.lines" | sed 's/^[^:]*: *//' || true; }
cors() { equal "$1: one header for every origin" '*' "$(header access-control-allow-origin)"; }

nginx_in_front() {
    local direct=$place/direct
    ask log.example /checkpoint
    equal "the checkpoint through TLS" 200 "$(status)"
    cors checkpoint
    curl -s "$log_url/checkpoint" -o "$direct"
    accepts "it is the log's" cmp "$direct" "$place/body"
    accepts "it is in no cache" test -z "$(header x-cache)"

    local tile=/tile/entries/000.p/17
    curl -s "$log_url$tile" -o "$direct"
    ask log.example "$tile"
    equal "a bundle, asked for the first time" MISS "$(header x-cache)"
    ask log.example "$tile"
    equal "asked for again" HIT "$(header x-cache)"
    accepts "it is the log's, from the cache" cmp "$direct" "$place/body"
    cors "a bundle from the cache"
    ask log.example "$tile" -H 'Range: bytes=3-12'
    equal "a part of it" "206 bytes 3-12/$(stat -c %s "$direct")" "$(status) $(header content-range)"
    accepts "it is that part" cmp <(dd if="$direct" bs=1 skip=3 count=10 status=none) "$place/body"
    cors "a part of a bundle"
    ask log.example "$tile" -H 'Accept-Encoding: gzip'
    equal "it comes compressed" gzip "$(header content-encoding)"
    accepts "and is the same" cmp "$direct" <(gzip -dc <"$place/body")
    accepts "and it is smaller" test "$(stat -c %s "$place/body")" -lt "$(stat -c %s "$direct")"
    cors "a compressed bundle"
    ask log.example /tile/entries/000.p/18
    ask log.example /tile/entries/000.p/18
    equal "what is not there yet is asked for each time" '404 MISS' "$(status) $(header x-cache)"
    cors "a refusal"

    ask log.example /entries -X OPTIONS -H 'Origin: https://page.example' -H 'Access-Control-Request-Method: POST'
    equal "a page may ask whether it may submit" '200 GET,HEAD,POST' "$(status) $(header access-control-allow-methods)"
    head -c 18000000 /dev/zero >"$place/large"
    ask log.example /entries --data-binary "@$place/large" -H 'Content-Type: application/cbor-seq'
    equal "more than a manifest" 413 "$(status)"
    cors "what nginx itself refuses"
    for _ in $(seq 60); do printf 'next\nurl = "https://log.example:%s/entries"\ndata = "x"\nsilent\noutput = /dev/null\nwrite-out = "%%{http_code}\\n"\n' "$tls"; done |
        sed 1d | sed "s#^url#cacert = \"$place/tls.crt\"\nresolve = \"log.example:$tls:127.0.0.1\"\nurl#" >"$place/many"
    curl -s -Z --no-progress-meter --parallel-immediate -K "$place/many" >"$place/statuses" || true
    accepts "so many submissions of one address at once are too many" grep -qx 429 "$place/statuses"
    accepts "and the first are read" grep -qx 400 "$place/statuses"
    ask log.example /metrics -H 'X-Test-Peer: 198.51.100.7'
    equal "metrics are for this machine" 403 "$(status)"

    ask witness.example /
    equal "the witness's page through TLS" 200 "$(status)"
    accepts "it names the log" grep -q "$origin" "$place/body"
    cors "the witness"
    ask witness.example "/$(printf %s "$origin" | sha256sum | cut -d' ' -f1)/checkpoint"
    equal "what it cosigned" 200 "$(status)"
    the_caller_is_named
}

# What the upstream is told of the caller, shown by an upstream that says it back.
the_caller_is_named() {
    python3 -c '
import http.server
class Echo(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers()
        self.wfile.write(",".join(self.headers.get_all("X-Forwarded-For", [])).encode())
    def log_message(self, *_): pass
http.server.HTTPServer(("127.0.0.1", '"$echo"'), Echo).serve_forever()' &
    running+=($!)
    wait_for "an upstream that says back what it is told" "http://127.0.0.1:$echo/"
    stop_nginx
    start_nginx "$place/nginx-echo" "http://127.0.0.1:$echo" "$witness_url"
    for path in / /tile/0/000 /entries; do
        ask log.example "$path" -H 'X-Test-Peer: 198.51.100.7' -H 'X-Forwarded-For: 203.0.113.9'
        equal "$path: the log is told who asks, and not what they say" 198.51.100.7 "$(cat "$place/body")"
    done
    stop_nginx
    start_nginx "$place/nginx" "$log_url" "$witness_url"
}

prometheus_watches() {
    installs "Prometheus" promtool prometheus
    accepts "promtool takes the alerts" promtool check rules "$examples/alerts.yml"
    accepts "each alert fires in its state, and no other does" promtool test rules "$here/alerts.test.yml"
    local dir=$place/prometheus
    mkdir -p "$dir" && cp "$examples/alerts.yml" "$dir/"
    sed "s#127.0.0.1:8080#${log_url#http://}#; s#127.0.0.1:7461#${witness_url#http://}#; s#15s#1s#g" "$examples/prometheus.yml" >"$dir/prometheus.yml"
    accepts "promtool takes the config" promtool check config "$dir/prometheus.yml"
    prometheus --config.file="$dir/prometheus.yml" --storage.tsdb.path="$dir/data" --web.listen-address="127.0.0.1:$prometheus" \
        >"$dir/log" 2>&1 &
    running+=($!)
    wait_for "Prometheus runs" "http://127.0.0.1:$prometheus/-/ready"
    curl -s "$log_url/metrics" >"$place/log.metrics"
    curl -s "$witness_url/metrics" >"$place/witness.metrics"
    within watch python3 -B "$here/python/watched.py" "http://127.0.0.1:$prometheus" "$examples" \
        "$place/log.metrics" "$place/witness.metrics"
}

pages_in_chromium() {
    installs "Chromium" chromium chromium
    within pages python3 -B "$here/python/pages.py" chromium "$place/profile" \
        "$log_url/" "$log_url/search?q=c1.example" "$log_url/search?q=%22%3E%3Cscript%3E" "$log_url/release?name=nobody" "$witness_url/"
}

main "$@"
