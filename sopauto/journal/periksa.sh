#!/bin/sh
# Periksa arsip tiket hanya dengan ssh-keygen, sha256sum dan perkakas dasar (coreutils atau busybox).
#
#     sh periksa.sh [--anchor JANGKAR]... [--signers DAFTAR] [FOLDER]
#
# FOLDER: arsip yang diperiksa (tanpa: folder tempat skrip ini). Skrip ini sama untuk semua arsip: pakailah salinan
# dari tempat yang Anda percaya, karena skrip di dalam arsip dapat diganti bersama isinya. JANGKAR: jangkar yang Anda
# simpan sendiri. DAFTAR: allowed_signers yang Anda peroleh sendiri. Setiap kesalahan diberitakan; keluar 1 jika ada.
set -u
LC_ALL=C
CDPATH=
export LC_ALL

faults=0
newline='
'
return=$(printf '\r')

say() { printf '%s\n' "$1" | tr -cd '\012\040-\176'; }

fault() {
    faults=$((faults + 1))
    say "SALAH: $1"
}

stop() {
    say "SALAH: $1" >&2
    exit 1
}

absolute() {
    case $1 in
        /*) printf '%s' "$1" ;;
        *) printf '%s' "$PWD/$1" ;;
    esac
}

sum() {
    summed=$(sha256sum <"$1" 2>/dev/null) || summed=
    printf '%s' "${summed%% *}"
}

# Isi yang ditandatangani adalah JSON dengan urutan kunci tetap; di dalam teks, tanda kutip selalu berbentuk \".
# Jadi kunci paling belakang dengan nama itu adalah kunci entri sendiri. Hasilnya di $value (kosong: tidak ada).
value_in() { # teks, kunci
    value=${1##*",\"$2\":\""}
    [ "$value" = "$1" ] && value=
    value=${value%%'"'*}
}

moment_of() { # waktu -> $moment: YYYYMMDDHHMMSS
    moment=$(printf '%s' "$1" | tr -cd '0123456789T' | tr -d 'T' | cut -c1-14)
}

signed() { # berkas, tanda tangan, orang, waktu, keperluan
    moment_of "$4"
    ssh-keygen -Y verify -f "$signers" -I "$3" -n "$5" -O verify-time="$moment" -s "$2" <"$1" >/dev/null 2>&1
}

# ssh-keygen -Y verify menerima tanda tangan kunci FIDO yang tidak disentuh: bendera pertama harus dilihat sendiri.
# Isi: SSHSIG versi kunci keperluan cadangan hash tanda-tangan(jenis isi bendera pencacah).
touched() { # tanda tangan
    # shellcheck disable=SC2046 # setiap byte satu kata
    set -- $(while IFS= read -r line || [ -n "$line" ]; do
        case $line in
            -----*) ;;
            *) printf '%s' "$line" ;;
        esac
    done <"$1" | base64 -d 2>/dev/null | od -An -v -tu1)
    [ $# -ge 14 ] || return 1
    shift 10
    for _ in kunci keperluan cadangan hash; do
        [ $# -ge 4 ] || return 1
        length=$((($1 << 24) + ($2 << 16) + ($3 << 8) + $4))
        [ $# -ge $((length + 4)) ] || return 1
        shift $((length + 4))
    done
    [ $# -ge 12 ] || return 1
    shift 4
    case "$5 $6 $7" in
        '115 107 45') ;;      # sk-
        '119 101 98') return 1 ;; # webauthn: tidak dipakai di sini
        *) return 0 ;;
    esac
    for _ in jenis isi; do
        length=$((($1 << 24) + ($2 << 16) + ($3 << 8) + $4))
        [ $# -ge $((length + 5)) ] || return 1
        shift $((length + 4))
    done
    [ $(($1 & 1)) -eq 1 ]
}

listed_files() {
    if [ ! -f SHA256SUMS ]; then
        fault "SHA256SUMS tidak ada"
        return
    fi
    listed=$newline
    while IFS= read -r line || [ -n "$line" ]; do
        name=${line#*'  '}
        listed="$listed$name$newline"
        if [ ! -f "$name" ]; then
            fault "berkas $name tidak ada"
        elif [ "$(sum "$name")" != "${line%%' '*}" ]; then
            fault "berkas $name berubah"
        fi
    done <SHA256SUMS
    for name in * .[!.]* */* */.[!.]* */*/*; do
        case $listed in
            *"$newline$name$newline"*) ;;
            *) [ "$name" = SHA256SUMS ] || [ ! -f "$name" ] || fault "berkas $name tidak tercantum di SHA256SUMS" ;;
        esac
    done
}

attached() { # berkas, sidik
    case $documents in
        *"$newline$2 "*) ;;
        *) fault "$1: lampiran $2 tidak ada atau berubah" ;;
    esac
}

entry() { # nomor, berkas
    body=$(cat "$2")
    tail=${body##*',"number":'}
    at=${body#'{"at":"'}
    at=${at%%'"'*}
    number=${tail%%,*}
    value_in "$tail" person && person=$value
    value_in "$tail" prev && prev=$value
    value_in "$tail" ticket
    [ "$1" -gt 1 ] || ticket=$value
    [ "$number" = "$1" ] || fault "$2: isinya menyebut entri $number"
    [ "$value" = "$ticket" ] || fault "$2: isinya menyebut tiket $value, bukan $ticket"
    if [ "$1" -gt 1 ] && [ "$prev" != "$last" ]; then
        fault "$2: tidak menyambung ke entri sebelumnya"
    fi
    if [ ! -f "$2.sig" ]; then
        fault "$2: tanda tangannya tidak ada"
    elif ! signed "$2" "$2.sig" "$person" "$at" sopauto; then
        fault "$2: tanda tangan $person tidak berlaku"
    elif ! touched "$2.sig"; then
        fault "$2: kunci FIDO $person tidak disentuh waktu menandatangani"
    fi
    value_in "$tail" verb
    [ "$value" != clock ] || say "Entri $1 menyatakan entri mana yang dibuat dengan jam yang salah (clock)."
    value_in "$tail" people
    [ -z "$value" ] || attached "$2" "$value"
    rest=${body##*',"documents":['}
    rest=${rest%%'],"note":'*}
    while :; do
        case $rest in
            *'"sha256":"'*)
                rest=${rest#*'"sha256":"'}
                attached "$2" "${rest%%'"'*}"
                ;;
            *) break ;;
        esac
    done
}

chain() {
    count=0
    for file in entri/*.json; do
        [ ! -f "$file" ] || count=$((count + 1))
    done
    [ "$count" -gt 0 ] || stop "tidak ada satu entri pun di entri/"
    here=0
    position=0
    while [ "$here" -lt "$count" ] && [ "$position" -lt $((count + 1000)) ]; do
        position=$((position + 1))
        file=$(printf 'entri/%04d.json' "$position")
        if [ -f "$file" ]; then
            here=$((here + 1))
            entry "$position" "$file"
            last=$(sum "$file")
        else
            fault "$file: entri ini tidak ada"
            last=
        fi
    done
    [ "$here" -eq "$count" ] || fault "entri/ berisi berkas yang bukan entri"
}

# Di mana jurnal ini berdiri menurut sebuah jangkar: jumlah entri, sidik entri pertama dan terakhir.
anchor() { # berkas, nama, jumlah harus sama (ya) atau boleh bertambah (tidak)
    head=
    [ ! -f "$1" ] || IFS= read -r head <"$1"
    if [ -z "$head" ]; then
        fault "$2: jangkar ini tidak dapat dibaca"
        return
    fi
    case $head in
        '{"anchor":1,"at":"'*) ;;
        *)
            fault "$2: ini bukan jangkar"
            return
            ;;
    esac
    value_in "$head" at
    when=$value
    value_in "$head" person
    if [ -z "$value" ]; then
        say "$2: dibuat $when, tidak ditandatangani; nilainya hanya dari tempat Anda menyimpannya"
    elif [ -f "$1.sig" ] && signed "$1" "$1.sig" "$value" "$when" sopauto-anchor && touched "$1.sig"; then
        say "$2: dibuat $when dan ditandatangani $value"
    else
        fault "$2: menyebut $value, tetapi tanda tangannya tidak ada atau tidak berlaku"
    fi
    mark=
    lines=-1
    while IFS= read -r line || [ -n "$line" ]; do
        lines=$((lines + 1))
        case ${line%"$return"} in
            '{"entries":'*',"ticket":"'"$ticket"'"}') mark=$line ;;
        esac
    done <"$1"
    told=${head##*'"tickets":'}
    told=${told%%[!0-9]*}
    [ "$told" = "$lines" ] || fault "$2: menyebut $told tiket dan memuat $lines: jangkar ini terpotong atau ditambah"
    if [ -z "$mark" ]; then
        [ "$3" = tidak ] || fault "$2: tidak memuat tiket ini"
        say "$2: tiket $ticket tidak ada di dalamnya: tiket ini dibuka sesudahnya, atau jangkar ini milik jurnal lain"
        return
    fi
    marked=${mark#'{"entries":'}
    marked=${marked%%,*}
    case $marked in
        '' | 0* | *[!0-9]*)
            fault "$2: jumlah entrinya tidak terbaca"
            return
            ;;
    esac
    if [ "$marked" -gt "$position" ]; then
        fault "$2: mencatat $marked entri, di sini hanya $position: bagian akhir terpotong"
    elif [ "$3" = ya ] && [ "$marked" -ne "$position" ]; then
        fault "$2: mencatat $marked entri, di sini $position"
    else
        value_in "$mark" head
        [ "$(sum "$(printf 'entri/%04d.json' "$marked")")" = "$value" ] ||
            fault "$2: entri $marked bukan yang dicatat jangkar: jurnal bercabang atau diganti"
        [ "$3" = ya ] || [ "$marked" -eq "$position" ] || say "$2: sejak itu bertambah $((position - marked)) entri"
    fi
    value_in "$mark" opening
    [ "$(sum entri/0001.json)" = "$value" ] || fault "$2: entri pertama bukan yang dicatat jangkar: ini tiket lain"
}

signers=
folder=$(dirname "$0")
left=$#
while [ "$left" -gt 0 ]; do
    left=$((left - 1))
    case $1 in
        --anchor | --signers)
            [ "$left" -gt 0 ] || stop "$1 tanpa nama berkas"
            left=$((left - 1))
            if [ "$1" = --anchor ]; then
                set -- "$@" "$(absolute "$2")"
            else
                signers=$(absolute "$2")
            fi
            shift 2
            ;;
        -*) stop "tidak dikenal: $1" ;;
        *)
            folder=$1
            shift
            ;;
    esac
done
for program in ssh-keygen sha256sum base64 od; do
    command -v "$program" >/dev/null || stop "program $program tidak ada"
done
cd -- "$folder" || exit 1
[ -n "$signers" ] || signers=$PWD/allowed_signers
[ -f "$signers" ] || fault "allowed_signers tidak ada"

documents=$newline$(sha256sum dokumen/* 2>/dev/null)
listed_files
chain
value_in "$tail" verb && verb=$value
value_in "$tail" step && step=$value
value_in "$tail" to && to=$value
say "Tiket $ticket: $position entri; yang terakhir $verb pada $step oleh $person, $at"
say "Keadaan menurut entri terakhir: $to"
say "Kepala (sha256sum entri terakhir): $last"
if [ -f penutup.jsonl ]; then
    anchor "$PWD/penutup.jsonl" penutup.jsonl ya
elif [ -f DAFTAR.txt ]; then
    fault "penutup.jsonl tidak ada"
else
    say "Arsip ini tidak menyebut jumlah entrinya (tanpa penutup.jsonl)"
fi
for kept; do
    anchor "$kept" "${kept##*/}" tidak
done
[ $# -gt 0 ] || say "Apakah ada entri sesudahnya yang dipotong, hanya terlihat dari jangkar yang Anda simpan: --anchor JANGKAR"
if [ "$faults" -gt 0 ]; then
    say "TIDAK UTUH: $faults kesalahan"
    exit 1
fi
say "Semua tanda tangan, rantai dan lampiran utuh sampai entri $position."
