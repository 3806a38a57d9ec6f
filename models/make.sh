#!/usr/bin/env bash
# Makes the shipped models: models/make.sh DATA RUN
# DATA is the folder of public data that docs/models.md lists; RUN is a new folder, or one of an interrupted run.
# The detector is trained in rounds. Each round finds the boxes of known texts, and the next round starts from its weights
# and also trains on these boxes. Then the classifier is trained on crops of pages and on the detector's false detections.
# At the end the joint reading of both is fitted.
# Downloads fonts from Debian's packages, so it requires Debian or Ubuntu.
set -euo pipefail
data=$1 run=$2 rounds=18 means=11
packages="fonts-adf-irianis fonts-averia-sans-gwf fonts-cantarell fonts-comfortaa fonts-comic-neue fonts-courier-prime
  fonts-crosextra-carlito fonts-dancingscript fonts-dseg fonts-ebgaramond fonts-ecolier-court fonts-ecolier-lignes-court
  fonts-essays1743 fonts-f500 fonts-fanwood fonts-femkeklaver fonts-freefont-ttf fonts-hack fonts-humor-sans
  fonts-inconsolata fonts-isabella fonts-junction fonts-jura fonts-kaushanscript fonts-klaudia-berenika fonts-lato
  fonts-lexi-gulim fonts-liberation fonts-lindenhill fonts-lobster fonts-noto-mono fonts-ocr-a fonts-ocr-b
  fonts-oldstandard fonts-open-sans fonts-play fonts-quattrocento fonts-rit-sundar fonts-roboto-unhinted fonts-rufscript
  fonts-sil-andika fonts-tomsontalks fonts-ubuntu-title fonts-vollkorn fonts-yozvox-yozfont
  fonts-thai-tlwg fonts-hosny-amiri fonts-wqy-microhei fonts-dejavu-core fonts-dejavu-extra fonts-linuxlibertine
  fonts-breip fonts-lyx fonts-gfs-didot fonts-gfs-artemisia fonts-paratype fonts-kacst fonts-takao-gothic
  fonts-arphic-gbsn00lp"

mkdir -p "$run"
fonts=$run/fonts
if [ ! -d "$fonts" ]; then
  mkdir -p "$fonts.part"
  for package in $packages; do
    (cd "$fonts.part" && apt-get download -qq "$package" && dpkg-deb -x "$package"_*.deb . && rm "$package"_*.deb)
  done
  mv "$fonts.part" "$fonts"
fi

# train SYSTEM FOLDER OPTIONS...: train into a new folder, resume an interrupted training, or skip a finished one
train() {
  local system=$1 out=$run/$2 resume=
  shift 2
  [ -e "$out/model.json" ] && return
  [ -e "$out/training.json" ] && resume=--resume
  batchocr train $resume --system "$system" --data "$data" --fonts "$fonts" --out "$out" "$@"
}

# label FOLDER: find the boxes of known texts with the detector in that folder
label() {
  [ -e "$run/$1.json" ] || python -m batchocr.training.pseudo_labels "$run/$1/model.keras" "$data" "$run/$1.json"
}

# mean FOLDER ONE OTHER: average the weights of two detectors
mean() {
  [ -e "$run/$1/model.json" ] ||
    python -m batchocr.training.detection.average "$run/$1" "$run/$2/model.keras" "$run/$3/model.keras"
}

# from round $means on, a round starts with the mean of the previous round and of the weights that it started with
train detector detector-1
start=detector-1
for round in $(seq 2 $rounds); do
  label "$start"
  train detector "detector-$round" --start "$run/$start/model.keras" --labels "$run/$start.json" --seed $((2016 + round))
  before=$start start=detector-$round
  if [ "$round" -ge $means ]; then
    mean "mean-$round" "$before" "$start"
    start=mean-$round
  fi
done
detector=$run/$start/model.keras
train default classifier --labels "$run/$before.json" --detector "$detector"
[ -e "$run/reading.json" ] || python -m batchocr.training.joint "$data" --fonts "$fonts" --run "$run/joint" \
  --detector "$detector" --model "$run/classifier/model.keras" --out "$run/reading.json"
