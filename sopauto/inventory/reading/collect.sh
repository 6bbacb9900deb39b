# What this server is made of and how it stands in the network. Changes nothing, needs neither root nor Python.
#
# Read by `sh -s`, so everything stands in functions and is called once, on the last line: a connection that breaks
# while the script is sent runs nothing. Each line of output is `section<TAB>text`; `end` comes last and proves that
# the answer is whole. What needs root is asked through `sudo -n` and named under `missing` where that is refused.

export LC_ALL=C
PATH=$PATH:/usr/sbin:/sbin:/usr/bin:/bin
TAB=$(printf '\t')
CUT=$(printf '\001')

# Whoever sends the script may put names of parts before it that are to be left out (`skip`).
wanted() { case " $skip " in *" $1 "*) missing "$1" 'left out by the settings' && return 1 ;; esac; }

have() { command -v "$1" >/dev/null 2>&1; }

# Name what could not be read, and why.
missing() { printf 'missing\t%s: %s\n' "$1" "$2"; }

# Run a program that may hang, for 15 seconds at most (or $patience) where `timeout` is to be had.
bounded() { if have timeout; then timeout "${patience:-15}" "$@"; else "$@"; fi; }

# Print standard input under a section's name.
section() { sed "s/^/$1$TAB/"; }

# Ask a program that may hang, and print what a sed script makes of its answer: `asked FIELD SCRIPT PROGRAM …`. Where it
# fails, the field is missing though lines came, and a line that it left unfinished is none. A mark behind its output
# tells that, since a pipe hides the exit status.
asked() {
    field=$1 edit=$2
    shift 2
    { bounded "$@" || printf '%s\n' "$CUT"; } | sed -n "/$CUT\$/{s/.*/missing$TAB$field: no answer/p;d;};$edit"
}

# Print the first line of a readable file under a section's name.
first() { if [ -r "$2" ]; then head -n 1 "$2" | tr -d '\000' | section "$1"; fi; }

# Print the first line of a file that only root may read, or name the field that is missing without it.
first_as_root() {
    if [ ! -e "$2" ]; then
        return
    elif line=$(bounded $as_root head -n 1 "$2"); then
        printf '%s\n' "$line" | section "$1"
    else
        missing "$3" 'needs root'
    fi
}

find_root() {
    as_root='' root=no
    if [ "$(id -u)" = 0 ]; then
        root=yes
    elif have sudo && bounded sudo -n true; then
        root=yes as_root='sudo -n'
    fi
}

hardware() {
    dmi=/sys/class/dmi/id tree=/proc/device-tree
    first vendor $dmi/sys_vendor
    first model $dmi/product_name
    first bios_date $dmi/bios_date
    first model $tree/model
    first_as_root serial $dmi/product_serial server.serial
    first_as_root serial $tree/serial-number server.serial
    grep -E '^(processor|model name|physical id|core id)[[:blank:]]*:' /proc/cpuinfo | section cpuinfo
    if have lscpu; then
        asked server.cpu "s/^\(Model name\|Socket\|Core\|Thread\|CPU(s)\)/lscpu$TAB&/p" lscpu
    fi
    grep '^MemTotal:' /proc/meminfo | section memory
    for_disk=15
    for block in /sys/block/*; do disk "$block"; done
}

# One line per disk: name, 512-byte sectors, rotational, model, serial. What is made of other disks is left out, and
# nvme0c0n1, which is one of the paths to nvme0n1.
disk() {
    name=${1##*/}
    case $name in loop* | ram* | zram* | dm-* | md* | sr* | fd* | nbd* | drbd* | nvme*c* | '*') return ;; esac
    serial=$(cat "$1/device/serial" "$1/serial" | head -n 1 | tr -d '\000')
    if [ -z "$serial" ]; then
        serial=$(sed -n 's/^E:ID_SERIAL_SHORT=//p' "/run/udev/data/b$(cat "$1/dev")" | head -n 1)
    fi
    health "$name"
    printf 'disk\t%s\t%s\t%s\t%s\t%s\n' "$name" "$(cat "$1/size")" "$(cat "$1/queue/rotational")" \
        "$(cat "$1/device/model" | head -n 1 | tr '\t' ' ')" "$serial"
}

# What a disk says of itself. The exit status does not tell who refused: smartctl fails for a failing disk too, and for
# one that cannot be asked (behind a USB bridge or a RAID controller). But it always prints at least its name, and a sudo
# that refuses prints nothing. Disks of other names (virtual ones) have no SMART, and sudoers does not name them.
health() {
    case $1 in sd* | nvme*) ;; *) return ;; esac
    if ! have smartctl; then return; fi
    told='' ended=0
    if [ $root = yes ]; then told=$(patience=$for_disk && bounded $as_root smartctl -H "/dev/$1") || ended=$?; fi
    if [ -n "$told" ]; then
        printf '%s\n' "$told" | sed -n "s/^SMART \(overall-health .* result\|Health Status\): */health$TAB$1$TAB/p"
    elif [ $ended -ge 124 ]; then
        missing "server.disks.health $1" 'no answer' # `timeout` ended it: 124, busybox 143
        for_disk=3 # where one hangs others may, and all of them have to be asked in time
    else
        missing server.disks.health 'needs root'
    fi
}

system() {
    if [ -r /etc/os-release ]; then section os </etc/os-release; else section os </usr/lib/os-release; fi
    first os_line /etc/redhat-release
    first kernel /proc/sys/kernel/osrelease
    uname -m | section architecture
    first host_name /proc/sys/kernel/hostname
    first uptime /proc/uptime
    packages
    if wanted updates; then updates; fi
    services
    sed -n "/^[+-]/!s/^/user$TAB/p" /etc/passwd || missing server.users 'no answer'
}

# Names and versions by the distribution's own tool, or from its database. rpm comes last: busybox has one that finds
# nothing.
packages() {
    if have dpkg-query; then
        asked server.packages "s/^installed$TAB/package$TAB/p" \
            dpkg-query -W -f='${db:Status-Status}\t${binary:Package}\t${Version}\n'
    elif [ -r /var/lib/dpkg/status ]; then
        awk '/^Package: /{name = $2} /^Status: .* installed$/{there = 1} /^Version: /{version = $2}
            /^$/{if (there) print name "\t" version; there = 0} END {if (there) print name "\t" version}' /var/lib/dpkg/status |
            section package
    elif [ -r /lib/apk/db/installed ]; then
        awk '/^P:/{name = substr($0, 3)} /^V:/{print name "\t" substr($0, 3)}' /lib/apk/db/installed | section package
    elif [ -d /var/lib/pacman/local ]; then
        ls /var/lib/pacman/local | sed -n "s/^\(.*\)-\([^-]*-[^-]*\)$/package$TAB\1$TAB\2/p"
    elif have rpm; then
        asked server.packages "s/^/package$TAB/p" rpm -qa --qf '%{NAME}\t%{VERSION}-%{RELEASE}.%{ARCH}\n'
    fi
}

# What the package lists of the server itself offer; nothing is fetched for it.
updates() {
    if have apt-get; then
        if offered=$(bounded apt-get -s -q -o Debug::NoLocking=true upgrade); then
            printf '%s\n' "$offered" | sed -n "s/^Inst /apt_update$TAB&/p"
            printf 'updates\tapt\n'
            return
        fi
    elif have dnf; then
        if offered=$(bounded dnf -q -C updateinfo list --security); then
            printf '%s\n' "$offered" | section dnf_security
            printf 'updates\tdnf\n'
            return
        fi
    else
        missing server.updates 'needs apt or dnf'
        return
    fi
    missing server.updates 'no answer'
}

# File systems of this server only: a dead file server must not hold up its clients.
storage() {
    columns=-Plk
    if ! df -Plk / >/dev/null; then columns=-Pk; fi # busybox cannot leave out file servers
    asked server.filesystems "s/^/df$TAB/p" df $columns
    grep -E '^(/|[^ ]+ [^ ]+ (zfs|btrfs) )' /proc/mounts | section mount
    if have vgs; then
        as_root_or_missing server.volumes vgs --noheadings --nosuffix --units b --separator "$TAB" -o vg_name,vg_size,vg_free |
            section volume_group
        as_root_or_missing server.volumes lvs --noheadings --nosuffix --units b --separator "$TAB" -o vg_name,lv_name,lv_size |
            section volume
    fi
    if have dmidecode; then
        as_root_or_missing server.memory_modules dmidecode -q -t 17 |
            grep -E '^(Memory Device|[[:blank:]]+(Locator|Size|Type|Speed|Manufacturer|Serial Number|Part Number):)' |
            section dimm
    else
        missing server.memory_modules 'needs dmidecode'
    fi
    if [ -r /proc/mdstat ]; then section mdstat </proc/mdstat; fi
}

# Run a program as root; where that is refused, say on the script's own output what is missing.
as_root_or_missing() {
    field=$1
    shift
    if [ $root = yes ]; then bounded $as_root "$@" || missing "$field" 'needs root' >&3; else missing "$field" 'needs root' >&3; fi
}

# Print end and subject of a certificate; the words after its file go before the command.
certificate() {
    path=$1
    shift
    bounded "$@" openssl x509 -noout -enddate -subject -in "$path"
}

# Certificates that web servers and certbot use: 50 files at most.
certificates() {
    if ! have openssl; then
        missing server.certificates 'needs openssl'
        return
    fi
    {
        ls -d /etc/letsencrypt/live/*/cert.pem
        grep -rhoE '^[[:blank:]]*(ssl_certificate|SSLCertificateFile)[[:blank:]]+[^; ]+' /etc/nginx /etc/apache2 /etc/httpd |
            awk '{print $2}' | tr -d '"'
    } | sort -u | head -n 50 | while read -r file; do
        # Most are readable by anybody; sudo may allow other programs only.
        if told=$(certificate "$file") || told=$(certificate "$file" $as_root); then
            printf 'certificate\t%s\t%s\t%s\n' "$file" "$(printf '%s\n' "$told" | sed -n 's/^notAfter=//p')" \
                "$(printf '%s\n' "$told" | sed -n 's/^subject= *//p' | tr '\t' ' ')"
        else
            missing "server.certificates $file" 'needs root'
        fi
    done
}

# Settings that hardening sets, as they hold just now.
hardening() {
    if have sshd; then
        as_root_or_missing server.hardening.sshd sshd -T |
            grep -E '^(permitrootlogin|passwordauthentication|permitemptypasswords|x11forwarding|maxauthtries|allowgroups) ' |
            section sshd
    fi
    for setting in kernel/randomize_va_space kernel/kptr_restrict kernel/dmesg_restrict kernel/yama/ptrace_scope \
        net/ipv4/ip_forward net/ipv4/conf/all/accept_redirects net/ipv4/conf/all/rp_filter net/ipv4/tcp_syncookies; do
        if [ -r /proc/sys/$setting ]; then printf 'sysctl\t%s\t%s\n' $setting "$(cat /proc/sys/$setting)"; fi
    done
}

surroundings() {
    if have systemd-detect-virt; then
        # It fails on bare metal, and says `none` there.
        virtualisation=$(bounded systemd-detect-virt)
        if [ -n "$virtualisation" ]; then
            printf 'virtualisation\t%s\n' "$virtualisation"
        else
            missing server.virtualisation 'no answer'
        fi
    elif grep -q '^flags.* hypervisor' /proc/cpuinfo; then
        printf 'virtualisation\tvm-other\n'
    fi
    if have lldpcli; then
        as_root_or_missing network.neighbours lldpcli -f keyvalue show neighbors | section lldp
    else
        missing network.neighbours 'needs lldpd'
    fi
    if have chronyc; then bounded chronyc -n tracking | section chrony; fi
    # `timedatectl` knows it of every daemon, but starts a service of its own to tell it.
    if [ -d /run/systemd/timesync ]; then
        if [ -e /run/systemd/timesync/synchronized ]; then printf 'timesync\tyes\n'; else printf 'timesync\tno\n'; fi
    fi
    if have ntpq; then bounded ntpq -c 'rv 0 leap' | section ntpq; fi
}

# `systemd` lines are systemctl's own; `service` lines are name and state.
services() {
    if [ -d /run/systemd/system ] && have systemctl; then
        asked server.services "s/^/systemd$TAB/p" \
            systemctl list-units --type=service --all --plain --no-legend --no-pager --full
        asked server.services.starts "s/^/unit_file$TAB/p" \
            systemctl list-unit-files --type=service --no-legend --no-pager
    elif [ -d /run/openrc/started ]; then
        for script in /etc/init.d/*; do
            if [ -e "/run/openrc/started/${script##*/}" ]; then state=running; else state=stopped; fi
            printf 'service\t%s\t%s\n' "${script##*/}" $state
        done
    elif [ -d /etc/init.d ]; then
        # A script of unknown age is not run just to ask it for its state.
        for script in /etc/init.d/*; do
            case ${script##*/} in
                '*' | README | functions | rc | rcS | *.sh) ;;
                *) printf 'service\t%s\tunknown\n' "${script##*/}" ;;
            esac
        done
        missing server.services.state 'no service manager runs'
    else
        missing server.services 'no service manager runs'
    fi
}

# Which process holds a port is told to root, by ss; the ports themselves are told to anybody.
ports() {
    if [ $root = yes ] && have ss && listening=$(bounded $as_root ss -lntup); then
        printf '%s\n' "$listening" | section ss
        return
    fi
    missing server.listening_ports.process 'needs root and ss'
    if have ss; then
        if listening=$(bounded ss -lntu); then
            printf '%s\n' "$listening" | section ss
            return
        fi
        missing server.listening_ports 'no answer' # what follows names the same ports otherwise
    fi
    for protocol in tcp tcp6 udp udp6; do
        if [ -r /proc/net/$protocol ]; then
            grep -E '^ *[0-9]+: .* (0A|07) ' /proc/net/$protocol | section proc_$protocol
        fi
    done
}

network() {
    for interface in /sys/class/net/*; do
        if [ -e "$interface/address" ]; then
            printf 'interface\t%s\t%s\t%s\t%s\n' "${interface##*/}" "$(cat "$interface/address")" \
                "$(cat "$interface/operstate")" "$(cat "$interface/mtu")"
        fi
    done
    if have ip; then
        asked network.addresses "s/^/address$TAB/p" ip -o addr show
        asked network.routes "s/^/route4$TAB/p" ip -4 route show
        # A kernel without IPv6 refuses to be asked.
        if [ -e /proc/net/if_inet6 ]; then asked network.routes "s/^/route6$TAB/p" ip -6 route show; fi
    else
        section fib_route </proc/net/route
        section fib_trie </proc/net/fib_trie
        if [ -r /proc/net/if_inet6 ]; then section if_inet6 </proc/net/if_inet6; fi
    fi
    # systemd-resolved shows itself in resolv.conf; whom it asks stands in its own file.
    if [ -r /run/systemd/resolve/resolv.conf ]; then
        section resolv </run/systemd/resolve/resolv.conf
    else
        section resolv </etc/resolv.conf
    fi
}

collect() {
    find_root
    hardware
    system
    ports
    network
    storage
    if wanted certificates; then certificates; fi
    if wanted hardening; then hardening; fi
    surroundings
    # Last, so that it can be held against the clock of whoever reads it.
    date +%s | section clock
    printf 'end\t1\n'
}

# 3 is the output itself: what a function says is missing goes past the pipe behind it.
collect </dev/null 3>&1 2>/dev/null
