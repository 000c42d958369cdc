# How `sam build` makes a layer. SAM copies the layer's folder (its ContentUri), goes there and runs
# `make build-<LogicalId>`; the Makefile beside (one for each processor) says whose wheels are wanted.
# Nothing is compiled, so one machine builds for both. docs/decisions/0002-layer-builds.md tells the rest.
#
# manylinux_2_34 is the C library of Amazon Linux 2023, on which Lambda's python3.13 runs.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.ONESHELL:

PROJECT := $(abspath $(dir $(lastword $(MAKEFILE_LIST)))/../..)
UV := $(or $(wildcard $(PROJECT)/.venv/bin/uv),uv)
TARGET = $(ARTIFACTS_DIR)/python
INSTALL = $(UV) pip install --quiet --target '$(TARGET)' --python-version 3.13 --python-platform $(PLATFORM) \
	--only-binary :all: --require-hashes --no-deps --link-mode copy -r requirements.txt

# What no handler imports: tests, type stubs, headers, converters and training code, and the commands of packages.
UNUSED_FOLDERS := tests test testing __pycache__ include bin *.egg-info \
	onnxruntime/backend onnxruntime/datasets onnxruntime/quantization onnxruntime/tools onnxruntime/transformers \
	numpy/f2py numpy/distutils numpy/doc
# libonnxruntime is for C programs: the Python module has the whole engine inside, 34 MB once more.
UNUSED_FILES := libonnxruntime.so.* *.pyi *.pyx *.pxd *.h *.hpp *.c *.a *.lib *.dist-info/RECORD *.dist-info/INSTALLER \
	*.dist-info/direct_url.json *.dist-info/REQUESTED *.lock

.PHONY: build-CoreLayer build-ImagingLayer build-ForecastingLayer

build-CoreLayer:
	$(install)
	cp -R pawcast '$(TARGET)/pawcast'
	$(strip)

build-ImagingLayer build-ForecastingLayer:
	$(install)
	$(strip)

# From the cache first: a second build needs no network.
define install
mkdir -p '$(TARGET)'
$(INSTALL) --offline 2>/dev/null || $(INSTALL)
endef

# The same files, with the same times, whenever and wherever they were built: SAM names an upload by its content.
define strip
cd '$(TARGET)'
find . -depth -type d \( -false $(foreach folder,$(UNUSED_FOLDERS),-o -path './$(folder)' -o -path './*/$(folder)') \) -exec rm -rf {} +
find . -type f \( -false $(foreach file,$(UNUSED_FILES),-o -path './$(file)' -o -path './*/$(file)') \) -delete
TZ=UTC find . -exec touch -h -t 200001010000 {} +
endef
