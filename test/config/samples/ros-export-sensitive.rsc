# 2026-03-14 09:21:55 by RouterOS 7.16.2
# software id = ABCD-1234
#
# model = RB760iGS
# serial number = HE108AAAAAA
/interface bridge
add admin-mac=48:A9:8A:00:00:01 auto-mac=no comment=defconf name=bridge
/interface ethernet
set [ find default-name=ether1 ] name=ether1-wan
/interface pppoe-client
# pppoe-out1 not ready
add add-default-route=yes disabled=no interface=ether1-wan max-mtu=1492 name=\
    pppoe-out1 password="p\"w;rd" user=someone@isp.example
/interface wireguard
add comment="to the cloud" listen-port=13231 mtu=1420 name=wg-cloud \
    private-key="mGRLQ2Z1P0nkUn/xHk3ntTiznWYVghps6lXwDi8K4Fw="
add disabled=yes listen-port=51821 name=wg-old
/interface list
add comment=defconf name=WAN
add comment=defconf name=LAN
/queue simple
add max-limit=20M/100M name=guests target=192.168.90.0/24
/interface list member
add comment=defconf interface=bridge list=LAN
add comment=defconf interface=pppoe-out1 list=WAN
add interface=wg-cloud list=LAN
/interface wireguard peers
add allowed-address=10.200.0.1/32,10.10.0.0/24,fd00:200::/64 comment=\
    "cloud; \"main\"" endpoint-address=vpn.example.net endpoint-port=51820 \
    interface=wg-cloud name=peer1 persistent-keepalive=25s preshared-key=\
    "eGLJtZC/wnDlmH/xOmTsJ0+Hpkyczf+cVGCtCvlnhmI=" public-key=\
    "OGelzL+oiIpUCYbW3sq+Ai7jBwB6+puDw4AOKvS6Njk="
add allowed-address=10.200.0.7/32 client-address=10.200.0.7/24 client-dns=\
    10.200.0.2 client-endpoint=home.example.net client-keepalive=1m \
    client-listen-port=51820 disabled=yes interface=wg-cloud is-responder=yes \
    name=phone private-key=\
    "6I1+9Eh+ND44zezMI+XgYdMJBV+dxJIwUtwQ2BTis3g=" public-key=\
    "EH5afHvkU01wgkcy3kfHxjPuSoe3kVLcYfpmXLbUR0M="
/ip address
add address=192.168.88.1/24 comment=defconf interface=bridge network=\
    192.168.88.0
add address=10.200.0.2/24 interface=wg-cloud network=10.200.0.0
/ip cloud
set ddns-enabled=yes update-time=no
/ip dhcp-server lease
add address=192.168.88.20 mac-address=AA:BB:CC:00:00:02 server=defconf
/ip firewall address-list
add address=10.10.0.0/24 list=cloud
add address=198.51.100.0-198.51.100.7 comment="the office" list=trusted \
    timeout=1d
/ip firewall connection tracking
set udp-stream-timeout=2m udp-timeout=10s
/ip firewall filter
add action=accept chain=input comment=\
    "defconf: accept established,related,untracked" connection-state=\
    established,related,untracked
add action=drop chain=input comment="defconf: drop invalid" connection-state=\
    invalid
add action=accept chain=input comment="allow WireGuard" dst-port=13231 \
    in-interface-list=WAN log=yes log-prefix="wg in" protocol=udp
add action=drop chain=input comment="defconf: drop all not coming from LAN" \
    in-interface-list=!LAN
add action=fasttrack-connection chain=forward connection-state=\
    established,related disabled=yes hw-offload=yes
add chain=forward src-address-list=trusted
# in/out-interface matcher not possible when interface (ether2) is slave - use master instead (bridge)
add action=drop chain=forward in-interface=ether2
/ip firewall mangle
add action=change-mss chain=forward new-mss=clamp-to-pmtu out-interface=\
    wg-cloud passthrough=yes protocol=tcp tcp-flags=syn
/ip firewall nat
add action=masquerade chain=srcnat comment="defconf: masquerade" \
    ipsec-policy=out,none out-interface-list=WAN
add action=dst-nat chain=dstnat dst-port=51820 protocol=udp to-addresses=\
    192.168.88.10 to-ports=51820
/ip route
add disabled=no distance=1 dst-address=10.10.0.0/24 gateway=wg-cloud \
    routing-table=main scope=30 suppress-hw-offload=no target-scope=10
add blackhole disabled=no dst-address=10.0.0.0/8
/ip service
set telnet disabled=yes
set www address=192.168.88.0/24,10.200.0.0/24 port=8080
/ipv6 firewall filter
add action=accept chain=input dst-port=13231 protocol=udp
/system clock
set time-zone-name=Europe/Riga
/system identity
set name="hEX S"
/system ntp client
set enabled=yes
/system ntp client servers
add address=0.pool.ntp.org
add address=1.pool.ntp.org
/system scheduler
add interval=1d name=night on-event="/system backup save\r\
    \n:log info done" start-time=03:00:00
