import type { IngotEvent } from '../core/events.ts';
import type { Json } from '../core/keys.ts';
import type { Plan } from '../core/plan.ts';
import type { Converted, ConvertRequest, PublishedFile, PublishRequest, ServeRequest } from './requests/artifacts.ts';
import type { Delivered, DeliverRequest, Fetched, FetchRequest } from './requests/delivery.ts';
import type {
  BuildRequest,
  BuildResult,
  CheckRequest,
  CheckResult,
  ImageRequest,
  ListedImage,
  ListRequest,
  PlanRequest,
  RecordedStep,
  ShellRequest,
} from './requests/images.ts';
import type {
  AddedIso,
  AddIsoRequest,
  IsoBuild,
  IsoBuildRequest,
  IsoDownload,
  IsoDownloadRequest,
  IsoReport,
  IsoRequest,
  IsoVerification,
  NetbootRequest,
} from './requests/isos.ts';
import type { ForgetRequest, RecordRequest, RegistryDeployment, RegistryView } from './requests/registry.ts';
import type {
  ImageDownload,
  ImageDownloadRequest,
  ReleasedListRequest,
  ReleaseRequest,
  ReleaseResult,
  RemoteImage,
} from './requests/release.ts';
import type { Difference, DiffRequest, ImageStory, NewKey, Verification, VerifyRequest } from './requests/trace.ts';
import type {
  CreateRequest,
  DoctorReport,
  DoctorRequest,
  GcRequest,
  GcResult,
  PinsRequest,
  PinsResult,
} from './requests/upkeep.ts';

/**
 * All that commands can ask for. Arguments and results are plain data; failures are thrown as IngotError, except
 * that a build or check of several images reports each one's end in its result.
 */
export type Engine = {
  /** Build images that are not built yet; one result for each image and architecture, in the order they are listed. */
  build(request: BuildRequest, io: Io): Promise<readonly BuildResult[]>;
  /** What `build` would do, without doing it. */
  plan(request: PlanRequest, io: Io): Promise<readonly Plan[]>;
  /** Run the checks of the newest finished artifact. */
  check(request: CheckRequest, io: Io): Promise<readonly CheckResult[]>;
  list(request: ListRequest, io: Io): Promise<readonly ListedImage[]>;
  /** Where a finished image came from. */
  show(request: ImageRequest, io: Io): Promise<ImageStory>;
  diff(request: DiffRequest, io: Io): Promise<Difference>;
  /** Write an image file in another format; needs no project. */
  convert(request: ConvertRequest, io: Io): Promise<Converted>;
  /** The bill of materials of a finished build as SPDX 2.3 JSON. */
  spdx(request: ImageRequest, io: Io): Promise<string>;
  /** Make the key that images are signed with. */
  newKey(io: Io): Promise<NewKey>;
  /** Prove that files are what their provenance says. */
  verify(request: VerifyRequest, io: Io): Promise<Verification>;
  gc(request: GcRequest, io: Io): Promise<GcResult>;
  /** The images that are here, and where they were brought. */
  registry(io: Io): Promise<RegistryView>;
  /** Make the images of the registry again from the manifests. */
  rebuildRegistry(io: Io): Promise<RegistryView>;
  /** Write down that an image was brought to a target. */
  recordDeployment(request: RecordRequest, io: Io): Promise<RegistryDeployment>;
  forgetDeployment(request: ForgetRequest, io: Io): Promise<RegistryDeployment>;
  /** Serve the artifacts until the signal; says where by an event. */
  serve(request: ServeRequest, io: Io): Promise<void>;
  /** Put a file into the served tree. */
  publish(request: PublishRequest, io: Io): Promise<PublishedFile>;
  /** Put a copy of a finished image where it is used. */
  deliver(request: DeliverRequest, io: Io): Promise<Delivered>;
  /** Fetch a file of which a server has a list of chunks: those that are not here. */
  fetch(request: FetchRequest, io: Io): Promise<Fetched>;
  /** Put images into a release on GitHub, or take them out; or say what would be done. */
  release(request: ReleaseRequest, io: Io): Promise<ReleaseResult>;
  /** The images that a release holds. */
  releasedImages(request: ReleasedListRequest, io: Io): Promise<readonly RemoteImage[]>;
  /** Fetch images of a release; one result for each image and architecture. */
  downloadImages(request: ImageDownloadRequest, io: Io): Promise<readonly ImageDownload[]>;
  /** Look up what pins and sources are upstream now, and follow them if that is asked for. */
  pins(request: PinsRequest, io: Io): Promise<PinsResult>;
  /** The ISOs of `isos.yaml`, and what is here of each. */
  isos(io: Io): Promise<readonly IsoReport[]>;
  /** Put an entry into `isos.yaml`. */
  addIso(request: AddIsoRequest, io: Io): Promise<AddedIso>;
  /** Fetch ISOs that are not here; one result for each and its architecture. */
  downloadIsos(request: IsoDownloadRequest, io: Io): Promise<readonly IsoDownload[]>;
  /** Put the answers of an image into its vendor's ISO; one result for each architecture. */
  buildIsos(request: IsoBuildRequest, io: Io): Promise<readonly IsoBuild[]>;
  /** Make the folder that an image's installer starts from over the network; one result for each architecture. */
  buildNetboots(request: NetbootRequest, io: Io): Promise<readonly IsoBuild[]>;
  /** Read stored ISOs again, and compare them with their checksums. */
  verifyIsos(request: IsoRequest, io: Io): Promise<readonly IsoVerification[]>;
  /** What this machine has and lacks; `images` empty: for every image of the project, or of no project. */
  doctor(request: DoctorRequest, io: Io): Promise<DoctorReport>;
  /** Boot a throw-away copy and hand the terminal to a login, until the person leaves it; gives what was recorded. */
  shell(request: ShellRequest, io: Io): Promise<RecordedStep | undefined>;
  /** Write a new project; refuses a folder that holds anything. Gives the absolute path of the folder. */
  create(request: CreateRequest, io: Io): Promise<string>;
  /** The JSON Schema of files that a person writes; default: of images. */
  schema(file?: SchemaFile): Promise<Json>;
};

export const schemaFiles = ['image', 'project', 'versions', 'isos'] as const;
export type SchemaFile = (typeof schemaFiles)[number];

/** What every run is handed by the command line. */
export type Io = {
  /** Aborted with an IngotError when the person or the system asks us to stop. */
  readonly signal: AbortSignal;
  readonly emit: (event: IngotEvent) => void;
  /** Give the terminal to something interactive: the display rests, Ctrl-C is no longer ours. */
  withTerminal<T>(run: () => Promise<T>): Promise<T>;
};

/** Where a run takes place, as the person said it; undefined: find it. */
export type EnginePlace = { readonly project: string | undefined; readonly home: string | undefined };
