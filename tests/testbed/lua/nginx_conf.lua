-- A user's nginx.conf on a stage: the same, but for what names its machine.
local nginx_conf = require "targets.nginx_conf"

local dir = os.tmpname()
os.remove(dir)
os.execute("mkdir -p " .. dir .. "/sites")
local function write(name, text)
  local file = io.open(dir .. "/" .. name, "w")
  file:write(text)
  file:close()
end

write("nginx.conf", [[
user www-data; # a comment with ; and {
daemon on;
pid /run/nginx.pid;
load_module modules/ngx_http_echo_module.so;
events { worker_connections 10; }
http {
    log_format f '$remote_addr "quoted; {" $status';
    ssl_protocols TLSv1 TLSv1.1 TLSv1.2;
    map $uri $pool { default "${uri}x"; }
    include sites/*.conf;
    server { listen 80; server_name shop.test; return 301 https://$host$request_uri; }
    server { listen 443 default_server; return 404; }
}
]])
write("sites/shop.conf", [[
server {
    listen 443 ssl http2;
    listen [::]:443 ssl;
    server_name www.shop.test shop.test;
    ssl_certificate /etc/letsencrypt/live/shop/fullchain.pem;
    ssl_certificate_key /etc/letsencrypt/live/shop/privkey.pem;
    location / { access_log /var/log/nginx/location.log; return 200 "ok"; }
}
]])
write("sites/other.conf", "server { listen 443 ssl; server_name other.test; ssl_certificate /none; }\n")

local settings = { dir = "/state", address = "127.0.0.1:443", name = "shop.test", root = false,
  directives = { ssl_certificate = "/live/chain.pem", ssl_certificate_key = "/live/key.pem" } }
local text, left_out, from = nginx_conf.rehearsed(dir .. "/nginx.conf", settings)
like(text, "ssl_certificate /live/chain.pem;", "certificates are the rehearsal's")
is(text:find("letsencrypt", 1, true), nil, "and no longer the user's")
like(text, "listen 127%.0%.0%.1:443 ssl http2;", "the listener is on the stage, with the protocols that it had")
is(text:find("[::]:443", 1, true), nil, "and nowhere else")
like(text, "ssl_protocols TLSv1 TLSv1%.1 TLSv1%.2;", "what the user configured stays")
like(text, [[log_format f '%$remote_addr "quoted; {" %$status';]], "quotes stay whole")
is(text:find("other.test", 1, true), nil, "servers of other names have no part")
is(text:find("301", 1, true), nil, "nor have those without TLS")
is(left_out, { "access_log", "daemon", "pid", "server on 443", "server other.test", "server shop.test", "user" },
  "all that is left out is told, by its name")
is(text:find("daemon", 1, true), nil, "it stays in the foreground")
is(text:find("/var/log", 1, true), nil, "and writes to none of the user's files, however deep")
like(text, "load_module /usr/share/nginx/modules/", "modules are found where nginx has them")

local places = {}
local number = 0
for line in text:gmatch "(.-)\n" do
  number = number + 1
  places[line:match "^%s*(%S+)"] = (from[number] or ""):gsub("^.*/", "")
end
is(places.location, "shop.conf:7", "of each line is known where it comes from")
is(places.map, "nginx.conf:9", "however it was included")
is(places.ssl_certificate, "", "unless it is the rehearsal's")

boom(function ()
  settings.name = "absent.test"
  nginx_conf.rehearsed(dir .. "/nginx.conf", settings)
end, "no server block with TLS has the server_name absent.test", "a name that is not there is said")
write("broken.conf", "http { server {\n")
boom(function () nginx_conf.rehearsed(dir .. "/broken.conf", settings) end, "never closed", "so is a block without end")
boom(function () nginx_conf.rehearsed(dir .. "/none.conf", settings) end, "cannot read", "and a file that is not there")
os.execute("rm -r " .. dir)
