"""The wheel of what ./build.sh wheel has put into snc/: any Python 3, one kind of machine, and the C library whose symbols it asks for."""
import os

from setuptools import Distribution, setup
from setuptools.command.bdist_wheel import bdist_wheel


class Native(Distribution):
    def has_ext_modules(self):
        return True  # it holds code of one kind of machine, if not of one Python


class Wheel(bdist_wheel):
    def get_tag(self):
        return "py3", "none", os.environ["SNC_WHEEL_PLATFORM"]


setup(name="snc", version=os.environ["SNC_VERSION"], description="Runtime of compressed text classifiers, taggers and embedding models",
      packages=["snc"], package_data={"snc": ["lib*.so.*", "py.typed"]}, python_requires=">=3.8", distclass=Native, cmdclass={"bdist_wheel": Wheel},
      extras_require={"numpy": ["numpy"], "sklearn": ["numpy", "scikit-learn"]})
