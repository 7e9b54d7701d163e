have_model
have_sst2
have_teacher full.snc
made export full.snc --policy int8 --output compressed.snc
cp compressed.snc second.snc
texts >texts.txt
needs curl openssl gcc g++ pkg-config python3
needs_server
for to in exe onnx; do needs_exporter compressed.snc $to; done
# A script that asks for scikit-learn is compiled where that is not.
python=$(command -v python3)
cat >"$SCRATCH/bin/python3" <<W
#!/usr/bin/env bash
! grep -q sklearn "\$1" || "$python" -c 'import sklearn' 2>/dev/null || { echo "compiled alone: no scikit-learn here"; exec "$python" -m py_compile "\$1"; }
exec "$python" "\$@"
W
chmod +x "$SCRATCH/bin/python3"
# What an installed libsnc has pkg-config say.
mkdir pkgconfig
for pc in snc snc-tool; do
    sed "s|^libdir=.*|libdir=$BUILD|; s|^includedir=.*|includedir=$ROOT/src|" "$BUILD/$pc.pc" >pkgconfig/$pc.pc
done
export PKG_CONFIG_PATH=$PWD/pkgconfig LD_LIBRARY_PATH=$BUILD PYTHONPATH=$ROOT/python SNC_LIBRARY=$BUILD/libsnc.so PYTHONDONTWRITEBYTECODE=1
