#!/usr/bin/env bash
# Makes the shipped model: models/make.sh DATA RUN
# DATA holds mnist.npz, semeion.npz, optdigits.npz, orand-car-a/train and tally-forms; RUN is a new folder, or one to go
# on with. Fetches the fonts, whose letters are no digits, from Debian's packages; needs a Debian or Ubuntu.
set -euo pipefail
data=$1 run=$2
packages="fonts-adf-irianis fonts-averia-sans-gwf fonts-cantarell fonts-comfortaa fonts-comic-neue fonts-courier-prime
  fonts-crosextra-carlito fonts-dancingscript fonts-dseg fonts-ebgaramond fonts-ecolier-court fonts-ecolier-lignes-court
  fonts-essays1743 fonts-f500 fonts-fanwood fonts-femkeklaver fonts-freefont-ttf fonts-hack fonts-humor-sans
  fonts-inconsolata fonts-isabella fonts-junction fonts-jura fonts-kaushanscript fonts-klaudia-berenika fonts-lato
  fonts-lexi-gulim fonts-liberation fonts-lindenhill fonts-lobster fonts-noto-mono fonts-ocr-a fonts-ocr-b
  fonts-oldstandard fonts-open-sans fonts-play fonts-quattrocento fonts-rit-sundar fonts-roboto-unhinted fonts-rufscript
  fonts-sil-andika fonts-tomsontalks fonts-ubuntu-title fonts-vollkorn fonts-yozvox-yozfont"

fonts=$run.fonts
if [ ! -d "$fonts" ]; then
  mkdir -p "$fonts.part"
  for package in $packages; do
    (cd "$fonts.part" && apt-get download -qq "$package" && dpkg-deb -x "$package"_*.deb . && rm "$package"_*.deb)
  done
  mv "$fonts.part" "$fonts"
fi

resume=
[ -e "$run/training.json" ] && resume=--resume
batchocr train $resume --data "$data/mnist.npz" --out "$run" \
  --more "$data/semeion.npz" --more "$data/optdigits.npz" --more "$data/orand-car-a/train" \
  --blank "$data/tally-forms/blank-dpr_s08_v2.png" --blank "$data/tally-forms/blank-dpr_j_v2.png" --fonts "$fonts"
python -m batchocr.training.single "$run" "$run/single.npz"
